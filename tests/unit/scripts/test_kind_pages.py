"""The pages in docs/kinds: which pins the picture shows, and what of a kind it has to tell."""

import re

import pytest

from bootstrap.config import kinds
from bootstrap.proof import PROOFS
from penates.datasheet import Sheet, sheet
from penates.wiring_picture import joints, picture, pictures
from support.paths import ROOT


@pytest.mark.parametrize(
    ("wiring", "found"),
    [
        ("VCC to 5V, GND to GND, OUT to `pin` (its output is 3.3 V).", {"VCC": "5V", "GND": "GND", "OUT": "17"}),
        (
            "one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.",
            {"one leg": "17", "the other": "GND"},
        ),
        (
            "VIN to 3V3, GND to GND, SDA to SDA, and SCL to GPIO 3.",
            {"VIN": "3V3", "GND": "GND", "SDA": "2", "SCL": "3"},
        ),
        ("5V and GND; its TX to the Pi's RX (pin 10).", {"TX": "15"}),
        ("IN to `pin`; 10 kohm from `pin` to GND (to 3V3 when it is switched by 0).", {"IN": "17"}),
        ("OUT to `other`; plug it into USB.", {}),
        ("none.", {}),
    ],
)
def test_what_is_wired_to_what_is_read_from_the_text(wiring: str, found: dict[str, str]) -> None:
    assert dict(joints(wiring, {"pin": 17})) == found


def test_the_picture_is_the_header_as_it_is_on_a_pi() -> None:
    drawn = picture("VCC to 5V, GND to GND, its shield to GND, DATA to `pin`, SDA to SDA", {"pin": 21})
    rows = [re.fullmatch(r" *(.*?) *(\w+) +(\d+) (\d+) +(\w+)(?: +── (.*))?", row) for row in drawn.splitlines()]
    pins = {int(row[at]): (row[at + by], row[at + 2 * by]) for row in rows if row for at, by in ((3, -1), (4, 1))}
    assert pins[2] == ("5V", "VCC")
    assert pins[3] == ("GPIO2", "SDA ──")
    assert (pins[6], pins[9]) == (("GND", "GND"), ("GND", "shield ──"))
    assert pins[40] == ("GPIO21", "DATA")
    assert [*pins] == [*range(1, 41)]
    assert picture("none.", {}) == ""
    assert picture("A to A of an adapter, GND to GND", {}) == ""


def test_each_of_several_parts_has_a_picture_of_its_own() -> None:
    text = "VIN to 3V3, GND to GND. A DHT11 or DHT22: + to 3V3, data to `pin`. PZEM-016: A and B to an adapter."
    drawn = dict(pictures(text, {"pin": 17}))
    assert [*drawn] == ["", "A DHT11 or DHT22"]
    assert re.findall(r"(\S+) ──|── (\S+)", drawn[""]) == [("VIN", ""), ("", "GND")]
    assert re.findall(r"(\S+) ──", drawn["A DHT11 or DHT22"]) == ["+", "data"]


@pytest.fixture(params=kinds.names())
def found(request: pytest.FixtureRequest) -> Sheet:
    return sheet(request.param, None)


def test_a_page_tells_all_of_its_kind(found: Sheet) -> None:
    text = (ROOT / "docs" / "kinds" / f"{found.kind}.md").read_text()
    named = {*re.findall(r"^\| `([\w-]+)", text, re.MULTILINE)}
    assert named >= {*found.measures, *found.device.commands, *(one.name for one in found.settings)}
    assert all(part in text for part in found.device.parts)
    proofs = text.partition("## Proof")[2]
    assert [proof for proof in PROOFS if proof in proofs] == [p for p in PROOFS if p in found.device.parts.values()]


def test_what_is_shown_of_the_wire_is_what_is_there(found: Sheet) -> None:
    text = (ROOT / "docs" / "kinds" / f"{found.kind}.md").read_text()
    wire = text.partition("## On the wire")[2].partition("## Proof")[0]
    private = found.device.private
    assert ("| `shared_with` |" in text) is private
    assert {*re.findall(r"^(\S+?)/\S+/data/", wire, re.MULTILINE)} == {"home-private" if private else "home"}
    assert ("/data/reading" in wire) is not private
    device = found.made(found.examples())
    assert device, "its example makes no device"
    assert {*re.findall(r"^penates send \S+ (\w+)", wire, re.MULTILINE)} <= {*device.commands}


def test_a_kind_on_lines_alone_has_a_picture_with_each_of_them(found: Sheet) -> None:
    text = (ROOT / "docs" / "kinds" / f"{found.kind}.md").read_text()
    lines = [value for name, value in found.examples().items() if name in {s.name for s in found.settings if s.is_line}]
    drawn = text.partition("## Wiring")[2].partition("## Settings")[0]
    wired = [row for row in drawn.splitlines() if "──" in row]
    missing = [line for line in lines if not any(f"GPIO{line}" in row for row in wired)]
    assert missing == [], f'say "Wiring: LEG to `SETTING`" in the docstring of {found.kind}'


def test_no_word_for_a_checker_of_the_source_is_shown(found: Sheet) -> None:
    assert not [one.name for one in found.settings if re.search(r"noqa|type: ignore|pragma", one.comment)]
