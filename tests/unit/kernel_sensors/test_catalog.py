"""The catalog of parts: each row can be used, and is."""

import re
from typing import Any

import pytest

from bootstrap.config import kinds
from bootstrap.kernel_sensors.adc_sensor import DividerSensor
from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from penates.parts import kinds_for

READERS = {name: found for name in kinds.names() if issubclass(found := kinds.find(name, None), KernelSensor)}
OVERLAY = re.compile(r"[a-z0-9-]+(,[a-z0-9-]+(_enable)?(=[\w]+)?)+")


@pytest.mark.parametrize("part", CATALOG)
def test_a_part_can_be_named_and_is_served_by_a_kind(part: str) -> None:
    assert [kind for kind in kinds_for(part) if kind in READERS]
    (need,) = Chip(part).needs()
    assert (str(Chip(part)), need.place) == (part, CATALOG[part].place)
    assert OVERLAY.fullmatch(need.overlay) or not need.overlay
    assert bool(need.overlay) + bool(need.new_device) <= 1
    assert need.names
    assert all(low < high for low, high in CATALOG[part].ranges.values())


@pytest.mark.parametrize("kind", READERS)
def test_a_kind_has_each_of_its_chips_with_measures(kind: str) -> None:
    chips = [*(READERS[kind].chips or READERS[kind].parts)]
    assert [part for part in chips if part not in CATALOG] == []
    within: dict[str, Any] = (
        {"supply_v": 2.0} if issubclass(READERS[kind], DividerSensor) else {}
    )  # volts that any converter measures
    assert [part for part in chips if not READERS[kind](chip=Chip(part), **within).measures] == []
