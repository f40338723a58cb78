"""GPIO lines by their names."""

import pytest
from gpiozero.pins.pi import PiBoardInfo

from bootstrap.pins.line_names import HEADER, line_number

PI_3B = 0xA02082


def test_the_header_is_that_of_a_raspberry_pi() -> None:
    pins = PiBoardInfo.from_revision(PI_3B).headers["J8"].pins
    assert [pins[number].name.removeprefix("GPIO") for number in sorted(pins)] == [*HEADER]


@pytest.mark.parametrize(("name", "number"), [("GPIO17", 17), ("gpio0", 0), ("BOARD11", 17), ("board40", 21)])
def test_a_line_has_a_name_and_a_place_on_the_header(name: str, number: int) -> None:
    assert line_number(name) == number


@pytest.mark.parametrize(("name", "what"), [("BOARD1", "3V3"), ("BOARD2", "5V"), ("BOARD39", "GND")])
def test_a_pin_that_supplies_power_is_no_line(name: str, what: str) -> None:
    with pytest.raises(ValueError, match=rf"^a GPIO line \({name} is {what}\)$"):
        line_number(name)


@pytest.mark.parametrize("name", ["GPIO28", "BOARD0", "BOARD41", "17", "GPIO", "GPIO017", "GPOI17", "GPIO\uff11", ""])
def test_what_is_no_line_is_told_what_is(name: str) -> None:
    with pytest.raises(ValueError, match="BCM number up to 27, a line "):
        line_number(name)
