"""The header of a Pi with a device on it, drawn for a terminal and as a picture."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bootstrap.config import kinds
from bootstrap.pins.line_names import HEADER
from penates.__main__ import main
from penates.datasheet import sheet
from penates.wiring_drawing import PAPER, colours, svg, terminal

TEXTS = ".//{http://www.w3.org/2000/svg}text"


def drawn(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["kinds", *words]) == code
    said = capsys.readouterr()
    return said.err if code else said.out


def pin_of(line: int) -> int:
    return HEADER.index(str(line)) + 1


def test_a_given_line_is_the_one_that_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    for typed in ("pin=27", "pin=GPIO27", "pin=BOARD13"):
        shown = drawn(capsys, "relay", "--wiring", typed)
        assert re.search(r"the relay board's IN ── GPIO27 13 14", shown), typed
        assert "10 kΩ between GPIO27 (pin 13) and GND (pin 6)" in shown


def test_of_several_parts_only_the_one_that_was_asked_for_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    shown = drawn(capsys, "DHT22", "--wiring", "chip=DHT22 at GPIO17")
    assert "data ── GPIO17 11" in shown
    assert "VIN ──" not in shown
    assert "dtoverlay=dht11,gpiopin=17" in shown


def test_a_wrong_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "pin must be" in drawn(capsys, "relay", "--wiring", "pin=99", code=78)
    assert "no setting 'pim'" in drawn(capsys, "relay", "--wiring", "pim=17", code=78)
    assert "which kind" in drawn(capsys, "--wiring", code=78)
    assert "no pin of the header is named: plug it into USB" in drawn(capsys, "lines", "--svg", code=78)


@pytest.mark.parametrize("kind", kinds.names())
def test_each_picture_fits_a_terminal_of_any_signs_and_has_each_leg(kind: str) -> None:
    found = sheet(kind, None)
    for header in found.wired({}):
        rows = [row.plain for row in terminal(header, ascii_only=True)]
        assert all(row.isascii() and len(row) <= 80 for row in rows)
        picture = ET.fromstring(svg([header], kind))
        texts = [text.text or "" for text in picture.iterfind(TEXTS)]
        for pin, legs in header.legs.items():
            (row,) = (row for row in rows if re.search(rf"(?<!\d){pin - 1 + pin % 2} {pin + pin % 2} ", f"{row} "))
            assert all(leg in row for leg in legs)
            assert ", ".join(legs) in texts


def test_wires_have_the_colours_by_which_they_are_told() -> None:
    (header,) = sheet("thermometer", None).wired({})
    assert colours(header) == {1: "red", pin_of(4): "yellow", 6: "black"}
    (other,) = sheet("relay", None).wired({})
    assert colours(other) == {2: "red", 6: "black", pin_of(17): "green"}
    strokes = [
        path.get("stroke") for path in ET.fromstring(svg([header], "x")).iter() if path.get("stroke-width") == "4"
    ]
    assert {PAPER["red"], PAPER["yellow"], PAPER["black"]} == {*strokes}


def test_it_is_in_colours_on_a_terminal_that_has_them() -> None:
    (header,) = sheet("thermometer", None).wired({})
    (row,) = (row for row in terminal(header, ascii_only=False) if row.plain.startswith("yellow"))
    assert {str(span.style) for span in row.spans if row.plain[span.start : span.end].strip()} >= {
        "bold yellow",
        "green",
    }


def test_a_picture_is_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drawn(capsys, "door", "--wiring", "pin=22", "--svg", str(tmp_path / "door.svg")) == ""
    assert "GPIO22" in [text.text for text in ET.parse(tmp_path / "door.svg").iterfind(TEXTS)]
    assert ET.fromstring(drawn(capsys, "door", "--svg")).tag.endswith("svg")
