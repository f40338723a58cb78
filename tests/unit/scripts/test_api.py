"""docs/API.md is what scripts/api makes of the docstrings."""

import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

import bootstrap
from bootstrap.device import Device
from support.paths import ROOT

DOCSTRING = """\
Measure now.

Raises:
    OSError: it does not answer, or it answers
        nonsense.
    ValueError, TypeError: it cannot be true.

It: must be quick.

    example = 1\
"""


@pytest.fixture
def api() -> ModuleType:
    loader = SourceFileLoader("api", str(ROOT / "scripts" / "api"))
    spec = spec_from_loader("api", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(api: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert (api.main(["--check"]), capsys.readouterr().out) == (0, "")


def test_a_stale_page_is_reported_and_replaced(
    api: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "API.md"
    monkeypatch.setattr(api, "PAGE", page)
    for stale in (None, api.page().replace("Device", "Gadget", 1)):
        if stale is not None:
            page.write_text(stale)
        assert api.main(["--check"]) == 1
        assert "run .venv/bin/python scripts/api" in capsys.readouterr().out
        assert api.main([]) == 0
        assert page.read_text() == api.page()


def test_a_new_member_of_device_must_be_placed(
    api: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Device, "calibrate", lambda _self: None, raising=False)
    assert api.main([]) == 1
    assert "place calibrate of Device" in capsys.readouterr().out


def test_a_name_that_is_gone_is_reported(api: ModuleType) -> None:
    with pytest.raises(LookupError, match="gone is not defined there"):
        api.entry("Device").member("gone")


def test_sections_become_lists_and_what_follows_them_does_not(api: ModuleType) -> None:
    assert api.markdown(DOCSTRING).split("\n\n") == [
        "Measure now.",
        "Raises:",
        "- `OSError`: it does not answer, or it answers\n  nonsense.\n- `ValueError`, `TypeError`: it cannot be true.",
        "It: must be quick.",
        "    example = 1",
    ]


def test_every_link_leads_to_a_heading_of_its_own(api: ModuleType) -> None:
    links = re.findall(r"^\| \[`(\w+)`\]\(#([\w-]+)\)", api.page(), re.MULTILINE)
    headings = re.findall(r"^## `(\w+)`$", api.page(), re.MULTILINE)
    assert [name for name, _ in links] == headings == [*bootstrap.__all__, *api.TESTS]
    assert len({anchor for _, anchor in links}) == len(links)
    assert {name: anchor for name, anchor in links if anchor != name.lower()} == {
        "Takes": "takes-1",
        "seconds": "seconds-1",
    }


def test_what_is_meant_for_a_linter_is_left_out(api: ModuleType) -> None:
    assert "noqa" not in api.page()
    assert "type: ignore" not in api.page()
