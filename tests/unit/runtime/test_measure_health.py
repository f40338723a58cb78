"""The rule of steps: which jump of a value is believed."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.contract.liveness import MISSED
from bootstrap.device import Measure
from bootstrap.runtime.measure_health import AGREE, MeasureHealth
from support.odd_devices import Told

# The rule of steps, by itself.

Take = Callable[[float, float], bool]


@pytest.fixture(scope="module")
def scale() -> Callable[[], tuple[MeasureHealth, Take]]:
    def make() -> tuple[MeasureHealth, Take]:
        health = MeasureHealth(Told(file=Path(), every_s=10), 0)

        def take(depth: float, now: float) -> bool:
            """Whether the value is published."""
            refused = health.validate({"depth": depth}, now)
            health.record_invalid(refused)
            if not refused:
                health.record_good({"depth": depth}, "now", now)
            return not refused

        return health, take

    return make


@given(values=st.lists(st.sampled_from([0, 1, 2, 3, 4.5, 9, 10, 11, 30]), min_size=1, max_size=40))
def test_a_step_is_refused_only_with_reason_and_never_for_ever(
    scale: Callable[[], tuple[MeasureHealth, Take]], values: list[float]
) -> None:
    health, take = scale()
    near = lambda one, other: abs(one - other) <= 2  # noqa: E731
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
