"""The settings of a transmitter."""

from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from daemons.socket import SocketTransmitter
from support.world import House


def faults(house: House, text: str) -> list[str]:
    house.write(1)
    house.device("air", f'kind = "socket"\n{text}')
    found = Configuration(house.folder)
    found.all()
    return [str(fault) for fault in found.faults]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pin = 99", "at least 0 and at most 27"),
        ('pin = "lirc0"', "/dev/lirc0"),
        ("pin = 17\nfrequency_mhz = 315.0", "within 433.05-434.79"),
        ("pin = 17\nairtime_percent = 11.0", "'airtime_percent' must be at most 10 at 433.92 MHz"),
        ("pin = 17\nfrequency_mhz = 868.35\nairtime_percent = 2.0", "at most 1 at 868.35 MHz"),
        ('pin = 17\nregion = "other"', "needs airtime_percent"),
        ('pin = 17\nregion = "mars"', '"europe" or "other"'),
        ('pin = 17\n[sensors.a]\ncode = "kaku 5 2"\n[sensors.b]\ncode = "kaku 5  2"', "already adopted as 'a'"),
        ('pin = 17\n[sensors.a]\ncode = "kaku 5 99"', "unit 1 to 16"),
    ],
)
def test_wrong_settings_say_what_instead(house: House, text: str, wanted: str) -> None:
    found = faults(house, text)
    assert any(wanted in one for one in found), found
    assert all("air.toml" in one for one in found)


def test_right_settings(house: House) -> None:
    assert faults(house, 'pin = "GPIO17"\nfrequency_mhz = 868.35\n[sensors.a]\ncode = "kaku 5 2"') == []
    assert SocketTransmitter(pin=17).share == 0.10
    assert SocketTransmitter(pin=17, frequency_mhz=868.35, airtime_percent=0.5).share == 0.005
    assert (
        SocketTransmitter(pin=Path("/dev/lirc0"), region="other", frequency_mhz=315.0, airtime_percent=2).share == 0.02
    )
