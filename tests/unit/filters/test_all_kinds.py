"""Each measure of each kind can have filters."""

from pathlib import Path

import pytest

from bootstrap.config import kinds
from bootstrap.config.loader import check
from bootstrap.config.model import SensorSettings
from bootstrap.filters.settings import RAW
from support.examples import example_of


def line_for(settings: SensorSettings, name: str) -> str:
    """A filter that fits a measure; none for what a command sets, and for words."""
    commanded = {takes.sets for takes in settings.device.commands.values()}
    unit = settings.device.measures[name].unit
    if name in commanded or unit is str or unit is dict:
        return ""
    return "invert = true" if unit is bool else "round = 1"


@pytest.mark.parametrize("kind", kinds.names())
def test_each_measure_can_have_one(kind: str, tmp_path: Path) -> None:
    plain = example_of(kind, tmp_path)
    lines = {name: line for name in plain.device.measures if (line := line_for(plain, name))}
    file = plain.folder / plain.file
    sections = "".join(f"\n[{name}]\n{line}\nraw = true\n" for name, line in lines.items())
    file.write_text(file.read_text() + sections)
    (filtered,) = check(plain.folder)
    assert filtered.device == plain.device
    told = filtered.about["measures"]
    assert {*told} == {*plain.device.measures, *(name + RAW for name in lines)}
    assert all(told[name]["unit"] == measure.unit_name for name, measure in plain.device.measures.items())
