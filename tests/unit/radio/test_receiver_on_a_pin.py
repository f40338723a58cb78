"""A receiver on a pin, as a setting: what it needs, and which pins there are."""

from pathlib import Path

import pytest

from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from bootstrap.needs import ChildProgram, GpioLine, needs_of
from bootstrap.radio.receiver import RadioInput
from daemons.radio import Radio
from penates.installer.device_needs import GPIO, needs


@pytest.mark.parametrize("text", ["pin:27", "pin:GPIO27", "pin:BOARD13"])
def test_it_needs_its_line_and_no_stick(text: str) -> None:
    device = Radio(input=RadioInput(text))
    assert [need for _name, need in needs_of(device)] == [
        GpioLine(27, driven=False),
        ChildProgram("rtl_433", "rtl-433"),
    ]
    assert needs(device).nodes == (GPIO,)
    assert device.input.arguments == ["-r", "ook:-"]


@pytest.mark.parametrize("text", ["pin:", "pin:28", "pin:GPIO99", "pin:BOARD1", "pin:-1", "pin"])
def test_a_pin_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"BCM number up to 27|GPIO line|the number of a stick"):
        RadioInput(text)


def test_its_line_belongs_to_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "house.toml").write_text('group = "cm"\n[broker]\nhost = "127.0.0.1"\n')
    (tmp_path / "devices" / "frontdoor.toml").write_text('kind = "door"\npin = 27\n')
    (tmp_path / "devices" / "stick.toml").write_text('kind = "radio"\ninput = "pin:GPIO27"\n')
    with pytest.raises(SettingsError, match="GPIO27"):
        check(tmp_path)
