"""The picture of what a display shows, and a table with the displays of a house beside it."""

import base64
import re
import time
from pathlib import Path
from typing import Any

import pytest

from bootstrap.display.picture import text_dots
from penates.display_picture import ShownDisplay
from penates.fleet.fleet_view import FleetView
from penates.fleet.watch_table import picture
from support.displays import pixels

PICTURES = Path(__file__).parent / "pictures"
LINES = "Cellar 21.5°C  ↑\nÄrger: ?3 € {x}\n"
CHARACTERS = {"driver": "hd44780", "size": "20x4", "scale": 1}
DOTS = {"driver": "sh1106", "size": "128x64", "scale": 2}


@pytest.mark.parametrize(("name", "display"), [("characters", CHARACTERS), ("dots", DOTS)])
def test_it_is_drawn_as_in_the_stored_picture(name: str, display: dict[str, Any]) -> None:
    """Look at the picture before you store another one."""
    drawn = ShownDisplay.of({"display": display}, LINES, lit=True).png()
    assert pixels(drawn) == pixels((PICTURES / f"{name}.png").read_bytes())
    rows, dark = pixels(ShownDisplay.of({"display": display}, LINES, lit=False).png())
    assert rows == pixels(drawn)[0]
    assert dark != pixels(drawn)[1]


def test_each_dot_of_a_graphic_display_is_a_square() -> None:
    rows, colours = pixels(ShownDisplay.of({"display": DOTS}, LINES, lit=True).png())
    dots = text_dots(LINES.split("\n"), 128, 64, 2)
    assert [bytes(row[::4]) for row in rows[::4]] == [bytes(row) for row in dots]
    assert colours[:3] == bytes(3)


@pytest.mark.parametrize(
    "display",
    [
        *(None, {}, "16x2"),
        *({"size": size} for size in ("16", "16x2x3", "0x2", "1000x2", "129x64", "ax2", "-1x2", "\u0663x2", None)),
    ],
)
def test_what_is_no_display_is_not_drawn(display: object) -> None:
    with pytest.raises(ValueError, match=r"it is no display|it says no size"):
        ShownDisplay.of({"display": display}, LINES, lit=True)
    with pytest.raises(ValueError, match="has shown nothing yet"):
        ShownDisplay.of({"display": CHARACTERS}, None, lit=True)


def test_foreign_facts_do_no_harm() -> None:
    odd = ShownDisplay.of({"display": {"size": "2x1", "scale": 10**9, "driver": []}}, "\x00" * 9 + "\n" * 9, lit=True)
    assert len(pixels(odd.png())[0]) == 4


def view(*sensors: str) -> FleetView:
    held = dict[str, bytes]()
    for sensor in sensors:
        held |= {
            f"{sensor}/status/state": b"online",
            f"{sensor}/status/about": b'{"kind":"lcd","measures":{"shown":{"unit":"str"}},"display":'
            b'{"driver":"hd44780","size":"16x2","scale":1}}',
            f"{sensor}/data/shown": b"one\ntwo",
        }
    held |= {"cm/odd/status/about": b'{"display":{}}', "cm/odd/status/state": b"online"}
    return FleetView.of(held, time.monotonic())


def test_displays_are_drawn_beside_the_table() -> None:
    svg = picture(view("cm/a", "cm/b"))
    assert "one¶two" in svg
    images = re.findall(
        r'<image x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)" href="data:image/png;base64,(.*)"', svg
    )
    assert [base64.b64decode(image[-1])[:4] for image in images] == [b"\x89PNG"] * 2
    assert int(images[0][1]) + int(images[0][3]) < int(images[1][1])
    (size,) = re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert int(size[0]) == int(images[0][0]) + int(images[0][2])
    assert int(size[1]) >= int(images[1][1]) + int(images[1][3])
    assert svg.count("</svg>") == 1
    assert ">cm/a<" in svg
    assert "<image" not in picture(view())
