"""Each profile that comes with penates makes of recorded messages what they mean."""

import re
import time

import pytest

from bootstrap.adapter.profile import FOLDER
from bootstrap.package_data import folder
from penates.testing import Bench
from support.recorded import RecordedDevice, RecordedMessage, dated, recorded

LONGEST = 25  # lines
DEVICES = [*recorded()]


@pytest.mark.parametrize("device", DEVICES, ids=lambda one: one.name)
def test_recorded_messages_are_what_they_mean(device: RecordedDevice) -> None:
    now, made = time.time() - 20, device.made()
    with Bench(made) as bench:
        for one in device.messages:
            hear(bench, one, dated(one.payload, now))
            assert made.trouble == one.gone + one.still, one
        for action, value, topic, payload in device.tells:
            bench.act(action, value)
            assert bench.told[-1] == (topic, payload.encode())


def hear(bench: Bench, one: RecordedMessage, payload: bytes) -> None:
    """Have it heard, and compare what is published."""
    bench.readings.clear()
    bench.shown.clear()
    if one.gone:
        with pytest.raises(OSError, match=re.escape(one.gone)):
            bench.hear(one.topic, payload, retained=one.retained)
    else:
        bench.hear(one.topic, payload, retained=one.retained)
    assert bench.readings == ([one.reading] if one.reading else []), one
    assert bench.shown == ([one.state] if one.state else []), one


def test_a_message_that_says_nothing_shows_that_the_device_is_there() -> None:
    device = next(one for one in DEVICES if one.profile == "tasmota").made()
    with Bench(device) as bench:
        device.heard.at = 0.0
        bench.hear("tele/tasmota_9CF9D1/SENSOR", {"Time": "2024-02-24T22:25:40"}, retained=True)
        assert device.heard.at == 0
        bench.hear("tele/tasmota_9CF9D1/SENSOR", {"Time": "2024-02-24T22:25:40"})
        assert device.heard.at > 0
        assert bench.readings == []


def test_a_device_is_asked_how_it_is_when_it_is_said_to_be_there() -> None:
    lwt, asked = "tele/tasmota_9CF9D1/LWT", ("cmnd/tasmota_9CF9D1/TelePeriod", b"?")
    with Bench(next(one for one in DEVICES if one.profile == "tasmota").made()) as bench:
        bench.hear(lwt, b"Online", retained=True)
        assert bench.told == [asked]
        bench.hear(lwt, b"Online")
        assert bench.told == [asked]
        with pytest.raises(OSError, match="says Offline"):
            bench.hear(lwt, b"Offline")
        bench.hear(lwt, b"Online")
        assert bench.told == [asked, asked]


def test_each_profile_is_short_and_has_recordings() -> None:
    files = [*(folder("config") / FOLDER).glob("*.toml")]
    assert files
    assert {file.stem for file in files} == {one.profile for one in DEVICES}
    long = {file.name: rows for file in files if (rows := len(file.read_text().splitlines())) > LONGEST}
    assert not long
