"""Each kind that comes with penates keeps the contract that authors of other kinds test theirs with."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config import kinds
from bootstrap.config.loader import check
from penates.testing import check_kind
from support.paths import ROOT


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Those of the samples, with quicker timers, and with a probe that is there."""
    samples = {found.kind: found.device for found in check(ROOT / "config")}
    found = {kind: {one.name: getattr(device, one.name) for one in fields(device)} for kind, device in samples.items()}
    probe = tmp_path / found["thermometer"]["serial"] / "temperature"
    probe.parent.mkdir()
    probe.write_text("21500\n")
    found["thermometer"]["bus"] = tmp_path
    found["motion"]["hold_s"] = found["button"]["hold_s"] = found["button"]["click_s"] = 0.1
    return found


@pytest.mark.parametrize("kind", kinds.names())
def test_it_keeps_the_contract(kind: str, settings: dict[str, dict[str, Any]]) -> None:
    check_kind(kind, **settings[kind])
