"""docs/SAFETY.md has every kind that drives a line; that the page is up to date is checked with the other pages."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from typing import get_type_hints

import pytest

from bootstrap.config import kinds
from bootstrap.needs import GpioLine, declared
from support.paths import ROOT

PAGE = (ROOT / "docs" / "SAFETY.md").read_text()


def drives(hint: object) -> bool:
    """Return whether a number as the value of a setting with this type is a line that is driven."""
    with suppress(AttributeError):  # its type is not for numbers
        return any(isinstance(need, GpioLine) and need.driven for need in declared(17, hint))
    return False


def driving() -> Iterator[str]:
    """Yield the kinds that have a setting for a line that they drive."""
    for kind in kinds.names():
        device = kinds.find(kind, ROOT)
        hints = get_type_hints(device, include_extras=True)
        if any(drives(hints[one.name]) for one in fields(device)):
            yield kind


@pytest.mark.parametrize("kind", [*driving()])
def test_every_output_has_its_table(kind: str) -> None:
    titles = [line for line in PAGE.splitlines() if line.startswith("### ")]
    assert [title for title in titles if f"`{kind}`" in title], f"give {kind} a row in scripts/safety_table.py"


@pytest.mark.parametrize("mode", ["units", "supervisor"])
def test_the_page_adds_up_what_was_measured_of_each_kind(mode: str) -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in PAGE.splitlines() if line.startswith("| *")]
    said = {row[1].strip("*"): row[5 if mode == "units" else 6].partition(",")[0] for row in rows if len(row) == 8}
    measured = json.loads((ROOT / "docs" / "safety.json").read_text())[mode]
    counts = {way: [sum(cells) for cells in zip(*kinds.values(), strict=True)][:2] for way, kinds in measured.items()}
    assert {way: cell for way, cell in said.items() if cell != "-"} == {
        way: f"{right} of {of}" for way, (right, of) in counts.items()
    }
