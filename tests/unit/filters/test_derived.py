"""What is derived: each formula against published tables, the little language, and the health of what it comes from."""

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.contract.heard import Heard
from bootstrap.contract.topics import is_id
from bootstrap.device import Measure
from bootstrap.errors import Refused
from bootstrap.filters import air
from bootstrap.filters.conditioning import Conditioning
from bootstrap.filters.filter import Filter, Moment
from bootstrap.filters.formulas import FORMULAS, MOST
from bootstrap.filters.grammar import parse
from bootstrap.filters.holding import Deadband, Throttle
from bootstrap.filters.linear import Calibrate, Unit
from bootstrap.filters.settings import MeasureFilters, SensorFilters
from bootstrap.runtime.judging import Judge
from support.filtered_devices import Weather

MEASURES = {
    "temperature": Measure("°C", low=-55, high=125),
    "humidity": Measure("%", low=0, high=100),
    "power": Measure("W", low=0),
    "rain": Measure("mm", low=0, counter=True),
    "open": Measure(bool),
}
HUMIDITIES = st.floats(0.1, 100)
WARMTHS = st.floats(-45, 60)


def sensor(derived: Mapping[str, str], **filters: MeasureFilters) -> Conditioning:
    return Conditioning(SensorFilters(filters, {name: parse(text, MEASURES) for name, text in derived.items()}))


def run(conditioning: Conditioning, series: list[dict[str, Any]], period_s: float = 60) -> list[Any]:
    """The derived value `it` after each reading, or why there is none."""
    found = []
    for number, reading in enumerate(series):
        made = conditioning.apply(reading, MEASURES, number * period_s, period_s)
        found.append(made.failed.get("it") or made.published.get("it"))
    return found


# The formulas.


@pytest.mark.parametrize(
    ("celsius", "humidity", "wanted"),
    [(30, 30, 10.5), (30, 50, 18.4), (30, 95, 29.1), (20, 30, 1.9), (20, 50, 9.3), (20, 80, 16.4), (10, 50, 0.1)],
)
def test_a_dew_point(celsius: float, humidity: float, wanted: float) -> None:
    """As the table in DIN 4108 has it, to a tenth of a degree."""
    assert air.dew_point(celsius, humidity) == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize(("celsius", "wanted"), [(-10, 2.36), (0, 4.85), (10, 9.40), (20, 17.30), (30, 30.38)])
def test_saturated_air(celsius: float, wanted: float) -> None:
    """The amount of water in saturated air, in g/m³, as tables have it (over water; a third per cent off at most)."""
    assert air.absolute_humidity(celsius, 100) == pytest.approx(wanted, rel=0.004)


@pytest.mark.parametrize(
    ("fahrenheit", "humidity", "felt"),
    [(80, 40, 80), (86, 90, 105), (90, 70, 105), (96, 50, 108), (100, 40, 109), (104, 55, 137), (110, 40, 136)],
)
def test_a_heat_index(fahrenheit: float, humidity: float, felt: float) -> None:
    """The chart of the US National Weather Service, in whole °F."""
    found = air.heat_index((fahrenheit - 32) * 5 / 9, humidity) * 9 / 5 + 32
    assert found == pytest.approx(felt, abs=1.0)


def test_the_heat_index_is_adjusted_for_dry_and_for_damp_air() -> None:
    def felt(fahrenheit: float, humidity: float) -> float:
        return air.heat_index((fahrenheit - 32) * 5 / 9, humidity) * 9 / 5 + 32

    assert felt(95, 12.99) - felt(95, 5) > 1.5  # 2 °F at most are taken off
    assert felt(82, 100) - felt(82, 85) > 1.5 * (felt(82, 85) - felt(82, 70)) / 1.5


@given(WARMTHS, HUMIDITIES)
def test_no_dew_point_is_above_the_temperature(celsius: float, humidity: float) -> None:
    assert air.dew_point(celsius, humidity) <= celsius + 1e-9


@given(WARMTHS, HUMIDITIES)
def test_saturated_air_at_the_dew_point_has_the_same_vapour(celsius: float, humidity: float) -> None:
    dew = air.dew_point(celsius, humidity)
    if dew >= air.COLDEST_C:
        assert air.vapour_pressure(dew, 100) == pytest.approx(air.vapour_pressure(celsius, humidity), rel=1e-6)


def test_a_temperature_in_another_unit_gives_the_dew_point_in_that() -> None:
    plain = run(sensor({"it": "dew_point(temperature, humidity)"}), [{"temperature": 20, "humidity": 50}])
    fahrenheit = sensor({"it": "dew_point(temperature, humidity)"}, temperature=MeasureFilters((Unit("°F"),)))
    found = run(fahrenheit, [{"temperature": 20, "humidity": 50}])
    assert found[0] == pytest.approx(plain[0] * 9 / 5 + 32, abs=0.02)
    assert fahrenheit.filters.published(MEASURES)["it"].unit == "°F"


@pytest.mark.parametrize("name", ["dew_point", "absolute_humidity"])
def test_where_a_formula_does_not_hold_it_says_so(name: str) -> None:
    it = {"it": f"{name}(temperature, humidity)"}
    assert run(sensor(it), [{"temperature": 90, "humidity": 20}]) == [
        "the formula holds from -45 to 60 °C, and not at 90 °C"
    ]


@given(st.floats(-300, 1000), st.floats(0, 100))
def test_whatever_the_air_is_there_is_a_number_or_a_reason(celsius: float, humidity: float) -> None:
    derived = {name: f"{name}(temperature, humidity)" for name in ("dew_point", "absolute_humidity", "heat_index")}
    made = sensor(derived).apply({"temperature": celsius, "humidity": humidity}, MEASURES, 0, 60)
    assert {*made.published, *made.failed} == {"temperature", "humidity", *derived}


def test_air_without_water_has_no_dew_point_and_says_so() -> None:
    assert run(sensor({"it": "dew_point(temperature, humidity)"}), [{"temperature": 20, "humidity": 0}]) == [
        "air of 0 % has no dew point"
    ]


# Over a time.


def test_a_rate_is_per_hour_and_a_counter_that_begins_anew_has_grown() -> None:
    rain = [{"rain": value} for value in (10, 10.5, 0.5, 1)]
    assert run(sensor({"it": "rate(rain, 10min)"}), rain) == [None, 30, 30, 30]
    assert sensor({"it": "rate(rain, 10min)"}).filters.published(MEASURES)["it"] == Measure("mm/h", low=0)


def test_a_rate_looks_no_further_back_than_its_time() -> None:
    series = [{"temperature": value} for value in (0, 60, 60, 60)]
    assert run(sensor({"it": "rate(temperature, 2min)"}), series) == [None, 3600, 1800, 0]


def test_a_mean_counts_each_value_for_as_long_as_it_was_the_newest() -> None:
    series = [{"temperature": value} for value in (10, 20, 30, 30)]
    assert run(sensor({"it": "mean(temperature, 2min)"}), series) == [10, 10, 15, 25]


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=50))
def test_an_integral_is_the_area(powers: list[float]) -> None:
    found = run(sensor({"it": "integral(power, 1h)"}), [{"power": power} for power in powers])
    area = sum((one + other) / 2 for one, other in pairwise(powers)) / 60
    assert found[-1] == pytest.approx(area, abs=1e-3) or (found[-1] is None and area < 1e-3)
    assert sensor({"it": "integral(power, 1h)"}).filters.published(MEASURES)["it"] == Measure("Wh", counter=True)


def test_nothing_is_added_for_a_gap() -> None:
    energy = sensor({"it": "integral(power, 1h)"})
    measured = [(0.0, 60), (60.0, 60), (7200.0, 60), (7260.0, 60)]
    found = [energy.apply({"power": power}, MEASURES, at, 60).published["it"] for at, power in measured]
    assert found == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("text", "period", "wanted"),
    [("mean(temperature, 1d)", 10, 4.5), ("rate(rain, 1d)", 7, 3600 * 6 / 7)],  # the rain begins anew at 0 each time
)
def test_a_long_time_takes_a_bounded_memory_and_stays_right(text: str, period: int, wanted: float) -> None:
    formula = parse(text, MEASURES)
    window: Any = formula.start("it", MEASURES, None)
    for number in range(2000):
        found = window.of({formula.sources[0]: number % period}, Moment(number, 1, 3))
    assert found == pytest.approx(wanted, rel=0.01)
    assert len(window.values) <= MOST


@pytest.mark.parametrize(
    ("text", "period"), [("mean(power, 1d)", 60), ("mean(power, 1h)", 2), ("rate(rain, 1d)", 60), ("rate(rain, 1h)", 2)]
)
def test_a_window_forgets_what_is_older_however_many_values_came(text: str, period: int) -> None:
    """Nothing in five windows, then 100 (or 100 per hour) in a whole one."""
    formula = parse(text, MEASURES)
    window: Any = formula.start("it", MEASURES, None)
    count = int(formula.window_s) // period
    for number in range(6 * count + 1):
        since = max(0, number - 5 * count)
        value = (100 if number >= 5 * count else 0) if "mean" in text else since * period / 36
        found = window.of({formula.sources[0]: value}, Moment(number * period, period, 3 * period))
        assert len(window.values) <= MOST
    assert found == pytest.approx(100, rel=0.01)


HOLDING = [Deadband(5, silence_s=600), Throttle(every_s=600)]


@pytest.mark.parametrize("holding", HOLDING)
def test_what_is_held_back_is_summed_up_all_the_same(holding: Filter) -> None:
    """Nothing for nine minutes, then 2000 W, of which half a minute counts at most."""
    energy = sensor({"it": "integral(power, 1h)"}, power=MeasureFilters((holding,)))
    found = run(energy, [*[{"power": 0}] * 10, {"power": 2000}])
    assert found == [*[0] * 10, pytest.approx(1000 / 60, abs=0.001)]
    assert energy.filters.every_s("it", 60) == 60
    mean = sensor({"it": "mean(power, 5min)"}, power=MeasureFilters((holding,)))
    assert run(mean, [*[{"power": 0}] * 6, *[{"power": 4}] * 4])[-1] == pytest.approx(2.4)


def test_nothing_is_added_for_a_gap_under_a_deadband_nor_after_a_failure() -> None:
    energy = sensor({"it": "integral(power, 1h)"}, power=MeasureFilters((Deadband(5, silence_s=3600),)))

    def at(second: float) -> Any:
        return energy.apply({"power": 60}, MEASURES, second, 60).published["it"]

    assert [at(0), at(60), at(360), at(420)] == [0, 1, 1, 2]
    energy.forget(["power"])
    assert [at(540), at(600)] == [2, 3]
    energy.forget()
    assert [at(720), at(780)] == [3, 4]


def test_a_failed_read_under_a_deadband_does_not_freeze_what_is_derived() -> None:
    dew = sensor({"it": "dew_point(temperature, humidity)"}, humidity=MeasureFilters((Deadband(5),)))
    readings = [{"temperature": 20 + number, "humidity": 50} for number in range(4)]
    found = run(dew, readings[:1])
    dew.forget(["humidity"])
    found += run(dew, readings[1:])
    assert None not in found
    assert sorted({*found}) == found


def test_what_was_derived_before_a_failure_is_not_used_after_it() -> None:
    derived = {"dew": "dew_point(temperature, humidity)", "it": "difference(temperature, dew)"}
    filters = SensorFilters({}, {name: parse(text, [*MEASURES, "dew"]) for name, text in derived.items()})
    margin = Conditioning(filters)
    assert run(margin, [{"temperature": 20, "humidity": 50}])[0] > 0
    margin.forget(["humidity"])
    assert run(margin, [{"temperature": 20}]) == [None]


def test_what_a_reload_leaves_of_a_held_back_value_is_in_the_new_unit() -> None:
    def filters(*stages: Filter) -> SensorFilters:
        return SensorFilters(
            {"temperature": MeasureFilters((Deadband(5), *stages))},
            {"it": parse("dew_point(temperature, humidity)", MEASURES)},
        )

    both = Conditioning(filters())
    assert run(both, [{"temperature": 20, "humidity": 50}]) == [pytest.approx(9.26)]
    both.change(filters(Unit("°F")))
    assert run(both, [{"humidity": 50}]) == [None]
    made = both.apply({"temperature": 20.1, "humidity": 50}, MEASURES, 60, 60).published
    assert [made["temperature"], made["it"]] == pytest.approx([68.18, 48.82])


def test_a_window_begins_anew_when_its_source_is_in_another_scale() -> None:
    """Even if the measure is described alike: a counter without limits is, whatever it is multiplied by."""
    one = {"it": parse("rate(rain, 10min)", MEASURES)}
    rate = Conditioning(SensorFilters({}, one))
    series = [{"rain": value} for value in (1000, 1000.5, 1001)]
    assert run(rate, series) == [None, 30, 30]
    rate.change(SensorFilters({"rain": MeasureFilters((Calibrate(scale=2.0),))}, one))
    assert run(rate, series) == [None, 60, 60]


def test_a_sum_in_another_unit_or_of_another_formula_begins_at_0_and_goes_on_when_that_is_back() -> None:
    kept: dict[str, Any] = {}

    class Value:
        def __init__(self, name: str, value: float) -> None:
            self.name = name
            kept.setdefault(name, value)

        value = property(lambda self: kept[self.name], lambda self, value: kept.update({self.name: value}))
        saved = property(lambda self: kept[self.name])
        lost = property(lambda _self: False)

    def total(text: str, name: str = "it", **filters: MeasureFilters) -> Any:
        energy = Conditioning(SensorFilters(filters, {name: parse(text, MEASURES)}))
        energy.lend(Value, lambda _: pytest.fail("nothing is listened to"))
        for number in range(2):
            made = energy.apply({"power": 60, "humidity": 60}, MEASURES, number * 60, 60).published[name]
        energy.close()
        return made

    assert [total("integral(power, 1h)"), total("integral(power, 1h)")] == [1, 2]
    assert total("integral(power, 1min)") == 60
    assert total("integral(humidity, 1h)") == 1
    assert total("integral(power, 1h)", power=MeasureFilters((Unit("kW"),))) == 0.001
    assert total("integral(power, 1h)") == 3
    long = "a" * 60
    assert [total("integral(power, 1h)", long + one) for one in "bcb"] == [1, 1, 2]
    assert all(is_id(name) for name in kept)


# Of two, and of what was derived.


def test_a_difference_of_two_measures_and_what_is_derived_from_that() -> None:
    derived = {"spread": "difference(temperature, dew)", "it": "mean(spread, 1h)"}
    filters = SensorFilters(
        {},
        {
            "dew": parse("dew_point(temperature, humidity)", MEASURES),
            **{name: parse(text, [*MEASURES, "dew", "spread"]) for name, text in derived.items()},
        },
    )
    made = Conditioning(filters).apply({"temperature": 20, "humidity": 50}, MEASURES, 0, 60).published
    dew = made["dew"]
    assert isinstance(dew, float)
    assert made["it"] == made["spread"] == pytest.approx(20 - dew)


def test_a_difference_of_temperatures_is_converted_by_the_size_of_a_degree_alone() -> None:
    derived = {
        "spread": "difference(temperature, dew)",
        "hour": "mean(spread, 1h)",
        "it": "difference(temperature, spread)",
    }
    names = [*MEASURES, "dew", "spread"]
    formulas = {"dew": parse("dew_point(temperature, humidity)", MEASURES)}
    formulas |= {name: parse(text, names) for name, text in derived.items()}
    warm = {name: MeasureFilters((Unit("°F"),)) for name in ("hour", "it")}
    conditioning = Conditioning(
        SensorFilters(
            {"spread": MeasureFilters((Unit("K"),)), "hour": MeasureFilters((Unit("°F"),))},
            {name: formulas[name] for name in ("dew", "spread", "hour")},
        )
    )
    made = conditioning.apply({"temperature": 20, "humidity": 50}, MEASURES, 0, 60).published
    assert [made["spread"], made["hour"]] == pytest.approx([10.74, 10.74 * 1.8])
    made = (
        Conditioning(SensorFilters(warm, formulas))
        .apply({"temperature": 20, "humidity": 50}, MEASURES, 0, 60)
        .published
    )
    assert [made["hour"], made["it"]] == pytest.approx([10.74 * 1.8, 9.26 * 1.8 + 32])


class Other:
    """What is heard of another sensor."""

    def __init__(self) -> None:
        self.last: Heard | None = None
        self.problem: str | None = None
        self.value, self.age_s = None, None

    def forget(self) -> None:
        """Nothing of it is kept."""


def test_a_difference_to_another_sensor_needs_that_one_to_be_well() -> None:
    other, difference = Other(), sensor({"it": "difference(temperature, cm/attic/data/temperature)"})
    listened: list[str] = []

    def listen(topic: str) -> Other:
        listened.append(topic)
        return other

    difference.lend(lambda *_: pytest.fail("nothing is to be kept"), listen)
    assert listened == ["cm/attic/data/temperature"]  # before the first reading
    series = [{"temperature": 20}]
    assert run(difference, series * 2, 4) == [None, None]  # its message may still be on its way
    assert run(difference, series * 3, 4)[-1] == "cm/attic/data/temperature: nothing was heard yet"
    assert len(listened) == 1
    other.last = Heard("cm/attic/data/temperature", b"22.5", 22.5, retained=True, at_us=0)
    assert run(difference, series) == [-2.5]
    other.problem = "cm/attic is lost"
    assert run(difference, series) == ["cm/attic/data/temperature: cm/attic is lost"]
    other.problem, other.last = None, Heard("cm/attic/data/temperature", b"x", "x", retained=True, at_us=0)
    with pytest.raises(Refused, match="is not a number"):
        _ = other.last.number
    assert "is not a number" in run(difference, series)[0]


def test_a_value_that_is_older_than_it_counts_is_not_used() -> None:
    dew = sensor({"it": "dew_point(temperature, humidity)"})
    assert run(dew, [{"humidity": 50}, {"temperature": 20}, {"temperature": 20}, {"temperature": 20}]) == [
        None,
        *[pytest.approx(9.26, abs=0.01)] * 2,
        None,
    ]


# The language.


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("dew_point", "one of absolute_humidity(temperature, humidity); dew_point("),
        ("__import__('os')", "one of absolute_humidity"),
        ("dew_point(temperature)", "dew_point(temperature, humidity)"),
        (
            "dew_point(temperature, humidty)",
            "of measures that this sensor has (temperature, humidity, power, rain, open)",
        ),
        ("rate(rain, soon)", "with a time such as 30s, 10min, 1h or 1d"),
        ("rate(rain, 0s)", "with a time such as"),
        ("difference(temperature, cm/+/data/temperature)", "with a topic such as home/attic/data/temperature"),
        ("mean(mean(power, 1h), 1h)", "one of absolute_humidity"),
        (5, "one of absolute_humidity"),
    ],
)
def test_what_is_no_formula_is_refused_with_what_is_one(text: object, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}"):
        parse(text, MEASURES)


@given(st.text())
def test_whatever_is_written_is_a_formula_or_refused(text: str) -> None:
    try:
        found = parse(text, MEASURES)
    except ValueError:
        return
    assert type(found) in FORMULAS.values()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("dew_point(humidity, humidity)", "it takes a temperature and a humidity in %, not % and %"),
        ("mean(open, 1h)", "'open' is no number that lasts"),
        ("difference(temperature, power)", "both must be in one unit, not °C and W"),
        ("integral(power, 2h)", "the time of an integral is one of 1s, 1min, 1h, 1d"),
    ],
)
def test_a_formula_says_what_it_cannot_be_computed_from(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        parse(text, MEASURES).outcome(MEASURES)


# Health.


def test_what_is_derived_is_as_well_as_what_it_comes_from(tmp_path: Path) -> None:
    text = {"dew": "dew_point(temperature, humidity)"}
    device = Weather(file=tmp_path / "none", every_s=60)
    judge = Judge(device, SensorFilters({}, {name: parse(one, device.measures) for name, one in text.items()}))
    health = judge.health

    def read(reading: dict[str, Any]) -> tuple[str, str | None, int]:
        judged = judge.judge(reading)
        health.record_good({**judged.published, **judged.good}, "now", 0.0)
        health.record_invalid({**judged.invalid, **judged.failed})
        facts: dict[str, Any] = health.facts["dew"]
        return facts["health"], facts["why"], facts["errors"]

    assert read({"temperature": 20, "humidity": 50}) == ("ok", None, 0)
    wrong = "temperature: 200 °C is not within -55 to 125"
    assert read({"temperature": 200, "humidity": 50}) == ("failing", wrong, 1)
    assert health.problems["dew"] == wrong
    assert read({"temperature": 21, "humidity": 50}) == ("ok", None, 0)
    assert read({"temperature": 21, "humidity": 0}) == ("failing", "air of 0 % has no dew point", 1)
    assert read({"temperature": 21, "humidity": 50}) == ("ok", None, 0)
    health.record_failure("it is gone", absent=True)
    assert (health.facts["dew"]["health"], health.facts["dew"]["why"]) == ("absent", "temperature: it is gone")
    assert read({"temperature": 21, "humidity": 50}) == ("ok", None, 0)
    assert not math.isnan(judge.measures["dew"].low)
