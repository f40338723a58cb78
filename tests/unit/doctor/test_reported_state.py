"""What a sensor's own reports show of it."""

import socket
import time
from dataclasses import replace
from typing import Any

import pytest

from bootstrap.config.model import SensorSettings
from bootstrap.contract.topics import Topics
from penates.doctor.findings import Verdict
from penates.doctor.reported_state import reported
from penates.fleet.fleet_view import FleetView, SeenSensor
from support.reports import reports

GOOD, BAD, UNKNOWN = Verdict


def seen(said: dict[str, bytes]) -> SeenSensor:
    """The sensor, as the broker has it."""
    topics = Topics("cm", "cellar")
    held = {topics.status(name): payload for name, payload in said.items()}
    return FleetView.of(held, time.monotonic()).sensors.get(topics.client_id, SeenSensor(topics))


@pytest.mark.parametrize(
    ("state", "more", "check", "text"),
    [
        ("online", {}, "", ""),
        ("online", {"ago_s": 190}, "state", "online, but last heartbeat 3 min ago"),
        ("lost", {"ago_s": 190}, "state", "lost; last heartbeat 3 min ago"),
        ("lost", {"ago_s": 190, "host": "attic-pi"}, "state", "lost; "),
        ("stopped", {}, "state", "stopped; last heartbeat 1 s ago"),
        ("fault", {"why": "no bus\x1b"}, "state", "fault: no bus\ufffd"),
        ("online", {"host": "attic-pi"}, "alone", "it runs on attic-pi, last heartbeat 1 s ago, and this is "),
        ("online", {"clock": "unsure"}, "time", "its clock was not set"),
        ("online", {"storage": "No space left"}, "outbox", "readings cannot be kept on disk: No space left"),
        ("online", {"on_disk": 95_000}, "outbox", "readings waiting on disk: 95000; the oldest will soon be dropped"),
        ("online", {"lag_s": 7300.0, "waiting": 9}, "recorder", "the readings it stores now are 2 h old; waiting: 9"),
        ("online", {"missed": 7}, "recorder", "messages that never reached it since its start: 7"),
        ("online", {"dropped": 3}, "outbox", "messages dropped since its start: 3"),
        ("online", {"reconnects": 30, "uptime_s": 60.0}, "link", "it connected again 30 times in "),
        ("online", {"reconnects": 30, "uptime_s": 90_000.0}, "", ""),
        (
            "online",
            {"why": "the connection to the broker broke 5 times"},
            "link",
            "the connection to the broker broke 5",
        ),
    ],
)
def test_what_it_says_of_itself(
    cellar_settings: SensorSettings, state: str, more: dict[str, Any], check: str, text: str
) -> None:
    wrong = [one for one in reported(cellar_settings, seen(reports(state, **more)), "the log") if one.verdict is BAD]
    assert [one.check for one in wrong] == [check] * bool(check)
    assert all(one.text.startswith(text) and one.advice for one in wrong)


def test_one_that_never_said_a_word(cellar_settings: SensorSettings) -> None:
    (about,) = reported(cellar_settings, seen({}), "")
    assert (about.verdict, about.text) == (BAD, "it has never published a state to this broker")


def test_words_that_are_none_of_ours(cellar_settings: SensorSettings) -> None:
    (about,) = reported(cellar_settings, seen({"state": b"online", "heartbeat": b"\xff", "about": b"[]"}), "")
    assert (about.verdict, about.text) == (BAD, "online, but no heartbeat")


def test_without_heartbeats_nobody_knows(cellar_settings: SensorSettings) -> None:
    (about,) = reported(replace(cellar_settings, heartbeat_s=0), seen({"state": b"online"}), "")
    assert about.verdict is UNKNOWN


def test_one_whose_connection_keeps_breaking_may_not_be_alone(cellar_settings: SensorSettings) -> None:
    said = reports("online", reconnects=30, uptime_s=60.0, host=socket.gethostname())
    about = {one.check: one for one in reported(cellar_settings, seen(said), "the log")}
    assert about["alone"].verdict is UNKNOWN
    assert "client id cm/cellar" in about["link"].advice
