"""Overlays in config.txt."""

from pathlib import Path

import pytest

from bootstrap.config.boot_config import Overlay, overlays

WANTED = Overlay.of("i2c-sensor,bme280,addr=0x76")

CONFIG = """\
# dtoverlay=commented
dtparam=i2c_arm=on
dtoverlay=w1-gpio,gpiopin=17  # a probe
  dtoverlay = dht11
dtparam=gpiopin=5
[none]
dtoverlay=never
[pi4]
dtoverlay=only-4
[all]
dtoverlay=mcp3008:spi0-0-present,spi0-0-speed=3600000
dtoverlay=
"""


def test_overlays_have_parameters(tmp_path: Path) -> None:
    file = tmp_path / "config.txt"
    file.write_text(CONFIG)
    assert overlays((tmp_path / "nowhere", file)) == (
        file,
        [
            Overlay("w1-gpio", {"gpiopin": "17"}),
            Overlay("dht11", {"gpiopin": "5"}),
            Overlay("only-4", {}),
            Overlay("mcp3008", {"spi0-0-present": "", "spi0-0-speed": "3600000"}),
        ],
    )
    assert overlays((tmp_path / "nowhere", tmp_path)) == (None, [])


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("i2c-sensor,bme280,addr=0x76", True),
        ("i2c-sensor,addr=118,bme280", True),
        ("i2c-sensor,bme280", True),
        ("i2c-sensor,bme280,addr=0x76,i2c3", True),
        ("i2c-sensor,bme280,addr=0x77", False),
        ("i2c-sensor,bmp280,addr=0x76", False),
        ("i2c-rtc,bme280,addr=0x76", False),
    ],
)
def test_an_overlay_does_what_is_wanted(text: str, does: bool) -> None:
    assert Overlay.of(text).does(WANTED, defaults=True) is does


def test_without_defaults_each_value_must_be_there() -> None:
    assert Overlay.of("i2c-sensor,bme280,addr=118").does(WANTED)
    assert not Overlay.of("i2c-sensor,bme280").does(WANTED)
