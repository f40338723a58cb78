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


SECTIONS = """\
[none]
dtoverlay=never
[gpio4=1]
dtoverlay=never
[pi3]
dtoverlay=three
[board-type=0x11]
dtoverlay=three-too
[all]
[gpio4=1]
dtoverlay=perhaps
[PI4]
dtoverlay=four
[cm4]
dtoverlay=module
[pi0]
dtoverlay=zero
[all]
dtoverlay=each
"""


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("Raspberry Pi 3 Model B Plus Rev 1.3\0", "three three-too perhaps each"),
        ("Raspberry Pi 4 Model B Rev 1.4\0", "perhaps four each"),
        ("Raspberry Pi 400 Rev 1.0\0", "perhaps four each"),
        ("Raspberry Pi Compute Module 4 Rev 1.0\0", "perhaps four module each"),
        ("Raspberry Pi Zero 2 W Rev 1.0\0", "perhaps zero each"),
        ("Raspberry Pi 5 Model B Rev 1.0\0", "perhaps each"),
        ("", "three three-too perhaps four module zero each"),
    ],
)
def test_what_is_for_another_board_does_not_count(tmp_path: Path, model: str, found: str) -> None:
    file, board = tmp_path / "config.txt", tmp_path / "model"
    file.write_text(SECTIONS)
    board.write_text(model)
    assert [one.name for one in overlays((file,), board)[1]] == found.split()


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("i2c-sensor,bme280,addr=0x76", True),
        ("i2c-sensor,addr=118,bme280", True),
        ("i2c-sensor,bme280", True),
        ("i2c-sensor,bme280,addr=0x76,i2c3", False),
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


def test_another_bus_is_another_place() -> None:
    wanted = Overlay.of("i2c-sensor,bme280,addr=0x76,i2c3")
    assert Overlay.of("i2c-sensor,bme280,addr=0x76,i2c3").does(wanted)
    assert not Overlay.of("i2c-sensor,bme280,addr=0x76").does(wanted)
    assert not Overlay.of("i2c-sensor,bme280,addr=0x76,i2c4,i2c3").does(wanted)
