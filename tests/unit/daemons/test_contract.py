"""Each kind that comes with penates keeps the contract that authors of other kinds test theirs with."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config import kinds
from penates.testing import check_kind
from support.examples import example_of

QUICK = {"motion": {"hold_s": 0.1}, "button": {"hold_s": 0.1, "click_s": 0.1}}  # timers that it waits for


@pytest.fixture
def there(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Return the settings by which a kind finds what is simulated."""
    probe = tmp_path / "bus" / "28-0316a2795fff" / "temperature"
    probe.parent.mkdir(parents=True)
    probe.write_text("21500\n")
    return {"thermometer": {"bus": probe.parent.parent}}


@pytest.mark.parametrize("kind", kinds.names())
def test_it_keeps_the_contract(kind: str, there: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    device = example_of(kind, tmp_path).device
    settings = {one.name: getattr(device, one.name) for one in fields(device) if one.init}
    check_kind(kind, **{**settings, **QUICK.get(kind, {}), **there.get(kind, {})})
