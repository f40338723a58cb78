"""What each filter makes of a series of values, whatever they are."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bootstrap.device import Measure, Value
from bootstrap.filters.catalogue import FILTERS
from bootstrap.filters.conditioning import Conditioning
from bootstrap.filters.filter import Filter
from bootstrap.filters.linear import UNITS, Calibrate, between
from bootstrap.filters.settings import RAW, MeasureFilters, SensorFilters

MEASURE = Measure("°C", low=-1000, high=1000)
NUMBERS = st.floats(-1000, 1000, allow_subnormal=False)
SERIES = st.lists(NUMBERS, min_size=1, max_size=40)
PERIOD_S = 10.0


def made(name: str, **settings: Any) -> Filter:
    return FILTERS[name](**settings)


def sensor(*stages: Filter, raw: bool = False) -> Conditioning:
    return Conditioning(SensorFilters({"value": MeasureFilters(stages, raw=raw)}))


def run(
    conditioning: Conditioning, series: list[Any], measure: Measure = MEASURE, period_s: float = PERIOD_S
) -> list[Value | str | None]:
    """What comes out of each value, one period after the other: the value, None if it is held back, or the reason."""
    found: list[Value | str | None] = []
    for number, value in enumerate(series):
        good, wrong, _ = conditioning.apply({"value": value}, {"value": measure}, number * period_s, period_s)
        found.append(wrong.get("value") or good.get("value"))
    return found


def out(name: str, series: list[Any], measure: Measure = MEASURE, **settings: Any) -> list[Any]:
    return run(sensor(made(name, **settings)), series, measure)


# Each by examples.


@pytest.mark.parametrize(
    ("name", "settings", "series", "wanted"),
    [
        ("round", {"digits": 1}, [21.4567, -0.04], [21.5, 0]),
        ("round", {"digits": 0}, [21.5001, 3], [22, 3]),
        ("round", {"digits": -2}, [1013.2, 951], [1000, 1000]),
        ("round", {"to": 0.5}, [21.3, 21.2], [21.5, 21]),
        ("median", {"of": 3}, [20, 85, 21, 22], [20, 52.5, 21, 22]),
        ("quantile", {"of": 3, "part": 0.0}, [20, 22, 21, 23], [20, 20, 20, 21]),
        ("quantile", {"of": 3, "part": 0.5}, [20, 22, 21], [20, 20, 21]),
        ("mean", {"of": 3}, [20, 22, 24, 29], [20, 21, 22, 25]),
        ("exponential", {"weight": 0.5}, [20, 22, 22], [20, 21, 21.5]),
        ("calibrate", {"offset": -0.4}, [21.4], [21]),
        ("calibrate", {"scale": 1.02, "offset": 1}, [100], [103]),
        ("calibrate", {"points": [[0.3, 0.0], [99.1, 100.0]]}, [0.3, 99.1, 49.7], [0, 100, 50]),
        ("calibrate", {"points": [[10, 12]]}, [10, 20], [12, 22]),
        ("calibrate", {"points": [[20, 22], [0, 0], [10, 12]]}, [-10, 5, 15, 30], [-12, 6, 17, 32]),
        ("clamp", {"low": 0, "high": 100}, [-3, 50, 104], [0, 50, 100]),
        ("clamp", {"low": 0}, [-3, 104], [0, 104]),
        ("unit", {"to": "°F"}, [100, -40], [212, -40]),
        ("low", {"limit": 0}, [1, -1, 0], [1, "-1 °C is not within 0 to 1000", 0]),
        ("high", {"limit": 30}, [31, 30], ["31 °C is not within -1000 to 30", 30]),
        ("step", {"limit": 2}, [1, 9, 9, 9], [1, *["9 °C is more than 2 away from the last good value, 1"] * 2, 9]),
        ("throttle", {"every_s": 30.0}, [1, 2, 3, 4, 5, 6, 7], [1, None, None, 4, None, None, 7]),
        ("deadband", {"by": 1.0}, [20, 20.9, 21, 20.5, 19], [20, None, 21, None, 19]),
        ("deadband", {"by": 1.0, "silence_s": 30.0}, [20] * 7, [20, None, None, 20, None, None, 20]),
    ],
)
def test_what_comes_out(name: str, settings: dict[str, Any], series: list[Any], wanted: list[Any]) -> None:
    assert out(name, series, **settings) == [one if isinstance(one, str) else pytest.approx(one) for one in wanted]


def test_a_contact_is_inverted() -> None:
    assert out("invert", [True, False], Measure(bool)) == [False, True]


def test_a_rounded_number_has_no_point_where_it_can_have_no_fraction() -> None:
    assert [*map(repr, out("round", [21.4], digits=0))] == ["21"]


def test_each_filter_is_in_these_examples() -> None:
    marks = test_what_comes_out.pytestmark
    assert {one[0] for one in marks[0].args[1]} | {"invert"} == {*FILTERS}


# Each whatever the values are.

POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5).map(
    lambda pairs: [
        [said, true] for said, true in zip(*(sorted({*axis}) for axis in zip(*pairs, strict=True)), strict=False)
    ]
)
LIMIT = st.floats(-500, 500, allow_subnormal=False)
PART = st.floats(0.01, 0.99)
SOME = {
    "calibrate": st.one_of(
        st.builds(Calibrate, offset=LIMIT, scale=st.floats(0.1, 10) | st.floats(-10, -0.1)),
        POINTS.filter(lambda points: all(b[0] - a[0] > 0.01 and b[1] - a[1] > 0.01 for a, b in pairwise(points))).map(
            lambda points: Calibrate(points=points)
        ),
    ),
    "clamp": st.tuples(LIMIT, st.floats(501, 2000)).map(lambda two: made("clamp", low=two[0], high=two[1])),
    "deadband": st.tuples(st.floats(0.1, 100), st.floats(1, 1000)).map(
        lambda two: made("deadband", by=two[0], silence_s=two[1])
    ),
    "exponential": PART.map(lambda weight: made("exponential", weight=weight)),
    "high": LIMIT.map(lambda limit: made("high", limit=limit)),
    "low": LIMIT.map(lambda limit: made("low", limit=limit)),
    "mean": st.integers(2, 9).map(lambda size: made("mean", of=size)),
    "median": st.integers(2, 9).map(lambda size: made("median", of=size)),
    "quantile": PART.map(lambda part: made("quantile", of=5, part=part)),
    "round": st.integers(-2, 5).map(lambda digits: made("round", digits=digits)),
    "step": st.floats(1, 500).map(lambda limit: made("step", limit=limit)),
    "throttle": st.floats(1, 300).map(lambda every_s: made("throttle", every_s=every_s)),
    "unit": st.sampled_from(["K", "°F", "°C"]).map(lambda unit: made("unit", to=unit)),
}


def test_each_filter_of_numbers_is_among_them() -> None:
    assert {*SOME} == {*FILTERS} - {"invert"}


CHAINS = st.lists(st.sampled_from([*SOME]), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.tuples(*(SOME[name] for name in names))
)


def outcome(stages: tuple[Filter, ...]) -> Measure:
    """What is measured after a chain; a chain that leaves nothing is none."""
    try:
        return MeasureFilters(stages).outcome(MEASURE)
    except ValueError:
        assume(False)
        raise


@given(CHAINS, SERIES)
def test_what_is_published_is_what_about_says(stages: tuple[Filter, ...], series: list[float]) -> None:
    """It is finite and within the limits that are told; and nothing that was once published is stale for others."""
    measure = outcome(stages)
    last_at = 0.0
    longest_s = SensorFilters({"value": MeasureFilters(stages)}).every_s("value", PERIOD_S)
    for number, one in enumerate(run(sensor(*stages), series)):
        if isinstance(one, int | float):
            slack = 1e-6 * max(1.0, abs(one))
            assert measure.low - slack <= one <= measure.high + slack
            assert number * PERIOD_S - last_at < 3 * longest_s
            last_at = number * PERIOD_S
        elif isinstance(one, str):
            last_at = number * PERIOD_S  # a fault, which is told


@given(CHAINS, SERIES)
def test_the_raw_value_is_what_the_device_said(stages: tuple[Filter, ...], series: list[float]) -> None:
    outcome(stages)
    conditioning = sensor(*stages, raw=True)
    for number, value in enumerate(series):
        good = conditioning.apply({"value": value}, {"value": MEASURE}, number * PERIOD_S, PERIOD_S).published
        assert good["value" + RAW] == value
    assert conditioning.filters.published({"value": MEASURE})["value" + RAW] == MEASURE


HUGE = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9)
WIDE = Measure("°C")
EXTREME = st.builds(Calibrate, scale=st.sampled_from([1e300, -1e300, 1e-300]), offset=st.sampled_from([0.0, 1e300]))


@given(st.tuples(EXTREME, st.one_of(*SOME.values())) | CHAINS, HUGE)
def test_whatever_is_said_what_is_published_is_finite(stages: tuple[Filter, ...], series: list[float]) -> None:
    for one in run(sensor(*stages), series, WIDE):
        assert one is None or isinstance(one, str) or (isinstance(one, int | float) and math.isfinite(one))
        assert not isinstance(one, int) or abs(one) < 1e18


@given(CHAINS, SERIES, SERIES)
def test_a_reload_of_the_same_filters_changes_nothing(
    stages: tuple[Filter, ...], before: list[float], after: list[float]
) -> None:
    outcome(stages)
    interrupted, other = sensor(*stages), sensor(*stages)
    for number, value in enumerate([*before, *after]):
        if number == len(before):
            interrupted.change(SensorFilters({"value": MeasureFilters(stages)}))
        moment = ({"value": value}, {"value": MEASURE}, number * PERIOD_S, PERIOD_S)
        assert interrupted.apply(*moment) == other.apply(*moment)


@given(CHAINS, SERIES, SERIES)
def test_after_a_gap_nothing_before_it_counts(
    stages: tuple[Filter, ...], before: list[float], after: list[float]
) -> None:
    outcome(stages)
    old, new = sensor(*stages), sensor(*stages)
    run(old, before)
    later = len(before) * PERIOD_S + 3 * PERIOD_S
    for number, value in enumerate(after):
        moment = ({"value": value}, {"value": MEASURE}, later + number * PERIOD_S, PERIOD_S)
        assert old.apply(*moment) == new.apply(*moment)


@given(SERIES, st.floats(0.1, 100))
def test_a_deadband_is_never_further_off_than_it_says(series: list[float], by: float) -> None:
    shown = math.nan
    for value, one in zip(series, out("deadband", series, by=by), strict=True):
        shown = one if one is not None else shown
        assert abs(value - shown) < by or shown == value


PAIRS = [(one, other) for one in UNITS for other in UNITS if UNITS[one][0] == UNITS[other][0]]


@given(st.sampled_from(PAIRS), NUMBERS)
def test_a_unit_there_and_back_is_the_same(units: tuple[str, str], number: float) -> None:
    one, other = units
    assert between(other, one).of(between(one, other).of(number)) == pytest.approx(number, abs=1e-6)


@given(POINTS.filter(lambda points: len(points) > 1), NUMBERS, NUMBERS)
def test_a_calibration_goes_through_its_points_and_keeps_the_order(
    points: list[list[float]], one: float, other: float
) -> None:
    assume(all(b[0] - a[0] > 0.01 and b[1] - a[1] > 0.01 for a, b in pairwise(points)))
    calibrate = Calibrate(points=points)
    for said, true in points:
        assert calibrate.of(said) == pytest.approx(true, abs=1e-3)
    assert (calibrate.of(one) <= calibrate.of(other)) == (one <= other) or one == pytest.approx(other)
    assert calibrate.id == Calibrate(points=points[::-1]).id


def test_a_counter_that_is_turned_round_is_none() -> None:
    grows = Measure("Wh", low=0, counter=True, step=10)
    turned = made("calibrate", scale=-2.0).outcome(grows)
    assert (turned.counter, turned.high, turned.step) == (False, 0, 20)
    assert made("calibrate", points=[[0, 10], [5, 5]]).outcome(grows).counter is False
    assert made("calibrate", scale=2.0).outcome(grows).counter
    assert made("unit", to="kWh").outcome(grows).counter


# What is held back, and what is refused.


def test_what_a_later_filter_holds_back_was_not_published() -> None:
    """Otherwise a deadband would compare with a value that nobody has seen."""
    chain = sensor(made("deadband", by=1.0), made("throttle", every_s=25.0))
    assert run(chain, [20, 22, 22, 22]) == [20, None, None, 22]


def test_the_order_is_that_of_the_lines() -> None:
    doubled, rounded = made("calibrate", scale=2.0), made("round", digits=0)
    assert run(sensor(doubled, rounded), [1.3]) == [3]
    assert run(sensor(rounded, doubled), [1.3]) == [2]


def test_a_filter_that_no_longer_fits_what_is_measured_refuses_it_and_says_why() -> None:
    chain = sensor(made("unit", to="°F"))
    assert run(chain, [21], Measure("%")) == ["is in %; choose from 1, ppm"]
    assert chain.filters.published({"value": Measure("%")}) == {"value": Measure("%")}
