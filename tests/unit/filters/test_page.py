"""docs/FILTERS.md names what there is."""

from bootstrap.filters.catalogue import FILTERS
from bootstrap.filters.formulas import FORMULAS
from bootstrap.filters.linear import UNITS, Calibrate
from support.paths import ROOT

PAGE = (ROOT / "docs" / "FILTERS.md").read_text()


def test_the_calibration_on_the_page_has_its_id() -> None:
    known = Calibrate(points=[[0.31, 0.0], [99.1, 100.0]]).id
    assert f"is calibrated by 2 points, as {known}\n" in PAGE
    assert f'"calibration":{{"temperature":"{known}"}}' in PAGE


def test_the_page_has_each_filter_formula_and_unit() -> None:
    assert [name for name in FILTERS if f"`{name} = " not in PAGE] == []
    assert [name for name in FORMULAS if f"`{name}(" not in PAGE] == []
    (row,) = (part for part in PAGE.split("\n\n") if part.startswith("Units: "))
    named = (
        row.removeprefix("Units: ").removesuffix(".").replace("\n", " ").replace(" ·", ",").replace("gal (US)", "gal")
    )
    assert {*named.split(", ")} == {*UNITS}
