"""The rule of steps: which jump of a value is believed."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.contract.liveness import MISSED
from bootstrap.device import Measure
from bootstrap.jumps import AGREE
from bootstrap.runtime.measure_health import MeasureHealth
from daemons.thermometer import Thermometer
from support.odd_devices import Told

# The rule of steps, by itself.

Take = Callable[[float, float], bool]


@pytest.fixture(scope="module")
def scale() -> Callable[[], tuple[MeasureHealth, Take]]:
    def make() -> tuple[MeasureHealth, Take]:
        health = MeasureHealth(Told(file=Path(), every_s=10), 0)

        return health, lambda depth, now: takes(health, {"depth": depth}, now)

    return make


@given(values=st.lists(st.sampled_from([0, 1, 2, 3, 4.5, 9, 10, 11, 30]), min_size=1, max_size=40))
def test_a_step_is_refused_only_with_reason_and_never_for_ever(
    scale: Callable[[], tuple[MeasureHealth, Take]], values: list[float]
) -> None:
    health, take = scale()
    near: Callable[[float, float], bool] = lambda one, other: abs(one - other) <= 2  # noqa: E731
    taken = [take(value, float(now)) for now, value in enumerate(values)]
    last = values[0]
    for index, (value, good) in enumerate(zip(values, taken, strict=True)):
        before = values[max(0, index - AGREE + 1) : index + 1]
        in_a_row = len(before) == AGREE and all(near(*pair) for pair in pairwise(before))
        refused_before = not any(taken[max(0, index - AGREE + 1) : index])
        assert good == (near(value, last) or (in_a_row and refused_before))
        last = value if good else last
    assert health.invalid == taken.count(False)


def test_after_a_long_silence_anything_is_believed(scale: Callable[[], tuple[MeasureHealth, Take]]) -> None:
    health, take = scale()
    patience_s = MISSED * 10
    assert take(0, 1)
    health.record_failure("no answer", absent=False)
    assert not take(50, patience_s)
    assert take(1, patience_s + 1)
    health.record_failure("no answer", absent=False)
    assert take(50, 2 * patience_s + 1)


@pytest.mark.parametrize("step", [0, -1, float("nan")])
def test_a_step_of_nothing_is_a_mistake(step: float) -> None:
    with pytest.raises(ValueError, match="step must be above 0"):
        Measure("V", step=step)


def test_a_power_on_value_without_a_step_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="power_on needs a step"):
        Measure("V", power_on=85)


# A probe whose bus invents values with a right checksum, and whose chip holds 85 °C until it has measured.


@pytest.mark.parametrize(
    ("read", "believed"),
    [
        ([84.812, 0, 84.875, -0.062, 84.937, 25, 84.937, 85, 85.062], [84.812, 84.875, 84.937, 84.937, 85, 85.062]),
        ([20, 85, 20.1, 85, 85, 20.2], [20, 20.1, 20.2]),
        ([85, 85, 85, 85, 20], [20]),
        ([85, 85, 85.062, 85], [85.062, 85]),
        ([20, 85, 85, 85, 85.062, 85], [20, 85.062, 85]),
        ([20, 60, 60.1, 60.2, 85, 60.3], [20, 60.2, 60.3]),
        ([20, 0, 20, 0, 20, 30.1], [20, 20, 20]),
        ([0, 0.062, -0.062, 25, 0], [0, 0.062, -0.062, 0]),
    ],
)
def test_a_probe_is_believed_where_another_reading_agrees(read: list[float], believed: list[float]) -> None:
    health = MeasureHealth(Thermometer(serial="28-1", every_s=60), 0)
    assert [value for now, value in enumerate(read) if takes(health, {"temperature": value}, float(now))] == believed


def test_after_a_long_silence_a_power_on_value_is_not_believed() -> None:
    health = MeasureHealth(Thermometer(serial="28-1", every_s=1), 0)
    assert takes(health, {"temperature": 84.9}, 0)
    assert not takes(health, {"temperature": 85}, MISSED)
    assert health.problems["temperature"] == "85 °C is the power-on value: the device lost power or did not measure"


def takes(health: MeasureHealth, reading: Mapping[str, float], now: float) -> bool:
    """Whether it is published."""
    refused = health.validate(reading, now)
    health.record_invalid(refused)
    if not refused:
        health.record_good(reading, "now", now)
    return not refused


# What a device learns while it runs.


class Learning(Told):
    """One that knows better than its settings how often it has a value, and which it cannot have."""

    period = 10.0
    excused = ""

    @property
    def period_s(self) -> float:
        return self.period

    def excuses(self, name: str) -> bool:
        return name == self.excused


def test_a_measure_that_is_excused_is_not_stale() -> None:
    device = Learning(file=Path())
    health = MeasureHealth(device, 0)
    assert takes(health, {"depth": 1}, 0)
    device.excused = "depth"
    health.passed_over([], 1000.0)
    assert health.problems == {}
    device.excused = ""
    health.passed_over([], 1000.0)
    assert health.problems == {"depth": "no value for more than 30 s"}


def test_another_period_and_new_measures_count_from_now_on() -> None:
    device = Learning(file=Path())
    health = MeasureHealth(device, 0)
    assert takes(health, {"depth": 1}, 0)
    device.period = 100.0
    device.measures = {**device.measures, "width": Measure("m")}  # type: ignore[misc]
    health.redescribe(20.0)
    assert takes(health, {"width": 3}, 20)
    health.passed_over([], 299.0)
    assert health.problems == {}
    health.passed_over([], 300.0)
    assert [*health.problems] == ["depth"]  # it is as old as before
