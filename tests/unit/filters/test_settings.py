"""Filters as their owner writes them: what is read, and what is refused with a reason."""

import subprocess
import sys

import pytest

from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from bootstrap.filters.linear import UNITS, Calibrate
from bootstrap.filters.settings import SensorFilters
from bootstrap.filters.simple import Round
from bootstrap.homeassistant.announcement import BY_UNIT
from bootstrap.needs import Listened, needs_of
from support.paths import ROOT
from support.world import House

CELLAR = 'kind = "thermometer"\nserial = "28-0316a2795fff"\n'
LAMP = 'kind = "lamp"\npin = 17\n'
LINES = 'kind = "lines"\nport = "/dev/null"\npatterns = ["T,{id},{temperature}"]\n'


def read(house: House, text: str) -> SensorFilters | None:
    house.write(1)
    house.device("cellar", text)
    return check(house.folder)[0].filters


def fault(house: House, text: str) -> str:
    with pytest.raises(SettingsError) as error:
        read(house, text)
    (found,) = error.value.faults
    return str(found).removeprefix("devices/cellar.toml:")


def test_filters_are_in_the_order_of_the_lines(house: House) -> None:
    found = read(house, f"{CELLAR}[temperature]\nlow = -10\ncalibrate = {{ offset = 1 }}\nround = 1\nraw = true\n")
    assert found is not None
    filters = found.measures["temperature"]
    assert (filters.stages, filters.raw) == ((Calibrate(offset=1.0), Round(digits=1)), True)
    assert read(house, f"{CELLAR}[temperature]\nround = 1\ncalibrate = {{ offset = 1 }}\n") != found
    assert read(house, f"{CELLAR}[temperature]\nlow = -10\n") is None


def test_raw_is_no_filter_so_that_what_is_below_it_may_be_a_limit(house: House) -> None:
    house.write(1)
    house.device("cellar", f"{CELLAR}[temperature]\nraw = true\nlow = -10\nround = 1\nhigh = 50\n")
    (found,) = check(house.folder)
    assert (found.device.measures["temperature"].low, found.device.measures["temperature"].high) == (-10, 125)
    assert found.filters is not None
    assert [type(one).__name__ for one in found.filters.measures["temperature"].stages] == ["Round", "HighLimit"]
    assert found.filters.measures["temperature"].raw


def test_a_raw_value_needs_a_name_of_its_own(house: House) -> None:
    (house.folder / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom bootstrap import Device, Measure\n\n\n"
        "@dataclass(kw_only=True)\nclass Both(Device):\n    light = Measure('lx')\n    light_raw = Measure('1')\n"
        "    def read(self):\n        return {}\n"
    )
    assert fault(house, 'kind = "mine.Both"\n[light]\nraw = true\n') == "3: there is a measure 'light_raw' already"


def test_a_calibration_may_change_the_unit(house: House) -> None:
    house.write(1)
    calibrate = '{ points = [[-50, 0], [100, 100]], unit = "%" }'
    house.device("cellar", f"{CELLAR}[temperature]\ncalibrate = {calibrate}\n")
    measure = check(house.folder)[0].about["measures"]["temperature"]
    assert (measure["unit"], measure["high"]) == ("%", pytest.approx(116.666666667))


def test_an_adopted_sensor_has_filters_of_its_own(house: House) -> None:
    house.write(1)
    house.device("hub", f"{LINES}[sensors.shed]\nid = 5\n[sensors.shed.temperature]\nround = 0\n")
    (hub,) = check(house.folder)
    assert hub.filters is None
    found = hub.carried["shed"].filters
    assert found is not None
    assert found.measures["temperature"].stages == (Round(digits=0),)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"{CELLAR}[temperature]\nruond = 1\n", "4: no setting 'ruond'; did you mean 'round'?"),
        (f"{CELLAR}[temperature]\nround = 1.5\n", "4: 'round' of 'temperature' must be a whole number, not 1.5"),
        (
            f"{CELLAR}[temperature]\nround = {{ too = 5 }}\n",
            "4: 'round' of 'temperature' must be a table without 'too'; did you mean 'to'?, not {'too': 5}",
        ),
        (
            f"{CELLAR}[temperature]\nmedian = 1\n",
            "4: 'median' of 'temperature' must be at least 2 and at most 1000, not 1",
        ),
        (
            f"{CELLAR}[temperature]\nthrottle = 60\n",
            "4: 'throttle' of 'temperature' must be a table, { every_s = … }, not 60",
        ),
        (
            f"{CELLAR}[temperature]\ndeadband = {{ by = 0 }}\n",
            "4: 'deadband' of 'temperature' must be a table in which 'by' is above 0, not {'by': 0}",
        ),
        (
            f"{CELLAR}[temperature]\ndeadband = {{ silence_s = 60 }}\n",
            "4: 'deadband' of 'temperature' must be a table with 'by', not {'silence_s': 60}",
        ),
        (
            f"{CELLAR}[temperature]\ncalibrate = {{ points = [[1, 2], [1, 3]] }}\n",
            "4: 'calibrate' of 'temperature' must be a table in which no two of the 'points' have the same first",
        ),
        (
            f"{CELLAR}[temperature]\ncalibrate = {{ points = [[1, 2], [2, 3], [3, 2]] }}\n",
            "4: 'calibrate' of 'temperature' must be a table in which the second numbers of the 'points' only rise",
        ),
        (
            f'{CELLAR}[temperature]\nunit = "lx"\n',
            "4: 'unit' is no filter of 'temperature', which is in °C; choose from K, °F",
        ),
        (
            f"{CELLAR}[temperature]\ninvert = true\n",
            "4: 'invert' is no filter of 'temperature', which is °C, neither true nor false; for a number set",
        ),
        (
            f'{CELLAR}[temperature]\nunit = "°F"\nlow = 300\n',
            "5: 'low' is no filter of 'temperature', which would be within 300 to 257 °F, which nothing is",
        ),
        (f"{CELLAR}[temperature]\nround = {{}}\n", "4: 'round' of 'temperature' must be a number of decimals, or { to"),
        (f"{CELLAR}[temperature]\ninvert = 1\n", "4: 'invert' of 'temperature' must be true or false, not 1"),
        (f"{CELLAR}[temperature]\ninvert = false\n", "4: 'invert' of 'temperature' must be true; remove the line if"),
        (f"{CELLAR}[temperature]\nexponential = 2\n", "4: 'exponential' of 'temperature' must be above 0 and below 1"),
        (
            f"{CELLAR}[temperature]\nquantile = {{ of = 5, part = 3 }}\n",
            "4: 'quantile' of 'temperature' must be a table in which 'part' is from 0 (the lowest) to 1 (the highest)",
        ),
        (f"{CELLAR}[temperature]\nclamp = {{ low = 5, high = 1 }}\n", "4: 'clamp' of 'temperature' must be { low = …"),
        (
            f"{CELLAR}[temperature]\nclamp = {{ low = 200 }}\n",
            "4: 'clamp' is no filter of 'temperature', which leaves nothing of -55 to 125 °C",
        ),
        (
            f"{CELLAR}[temperature]\ncalibrate = {{ scale = 0 }}\n",
            "4: 'calibrate' of 'temperature' must be { offset = … }, { scale = … } other than 0, both, or { points",
        ),
        (
            f"{CELLAR}[temperature]\ncalibrate = {{ points = [[1, 2, 3]] }}\n",
            "4: 'calibrate' of 'temperature' must be a table in which 'points' is one to 5 pairs, [said, true]",
        ),
        (
            f"{CELLAR}[temperature]\ncalibrate = {{ points = [[0, 0], [5e-324, 1]] }}\n",
            "4: 'calibrate' of 'temperature' must be made of numbers that are further apart, or closer together",
        ),
        (
            f"{CELLAR}[temperature]\ncalibrate = {{ points = [[-1e308, 0], [1e308, 1]] }}\n",
            "4: 'calibrate' of 'temperature' must be made of numbers that are further apart, or closer together",
        ),
        (
            f"{CELLAR}[temperature]\ncalibrate = {{ scale = 1e307 }}\n",
            "4: 'calibrate' is no filter of 'temperature', which needs what is made of less extreme numbers",
        ),
        (
            f"{CELLAR}[temperature]\n\nround = {{ to = 1e-309 }}\n",
            "5: 'round' is no filter of 'temperature', which needs what is made of less extreme numbers",
        ),
        (
            f'{CELLAR}[temperature]\ncalibrate = {{ offset = 1, unit = "\\u001b[2J" }}\n',
            "4: 'calibrate' of 'temperature' must be a table in which 'unit' is one line of printable characters",
        ),
        (f"{CELLAR}[temperature]\nraw = 1\n", "4: 'raw' must be true or false, not 1"),
        (f"{CELLAR}[temperature]\nround = 1\nevery_s = 5\n", "5: no setting 'every_s' in [temperature]; move the line"),
        (f"{LAMP}[on]\ninvert = true\n", "3: 'on' shows what the command 'set' has set; a filter would show something"),
        ('kind = "door"\npin = 17\n[open]\nround = 1\n', "4: 'round' is no filter of 'open', which is bool, no number"),
        (
            'kind = "button"\npin = 17\n[clicks]\nmedian = 3\n',
            "4: 'median' is no filter of 'clicks', which happens and does not last",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(house: House, text: str, wanted: str) -> None:
    assert fault(house, text).startswith(wanted)


def test_a_sensor_without_filters_loads_none(house: House) -> None:
    code = (
        "import sys, bootstrap.runtime.process; from bootstrap.config.loader import check; from pathlib import Path; "
    )
    code += "check(Path(sys.argv[1])); print(*[name for name in sys.modules if name.startswith('bootstrap.filters')])"

    def loaded(text: str) -> set[str]:
        read(house, text)
        program = [sys.executable, "-c", code, str(house.folder)]
        done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=ROOT)
        return {*done.stdout.split()}

    assert loaded(f"{CELLAR}[temperature]\nlow = -10\n") == set()
    found = loaded(f"{CELLAR}[temperature]\nround = 1\n")
    assert "bootstrap.filters.simple" in found
    assert "bootstrap.filters.conditioning" not in found


def test_home_assistant_knows_each_unit_that_one_can_convert_into() -> None:
    """Litres per hour have no device class in its older versions, and are shown without one."""
    assert {unit for unit, (sort, _line) in UNITS.items() if sort != "ratio"} - BY_UNIT.keys() == {"L/h"}


def test_who_listens_for_a_difference_is_allowed_to(house: House) -> None:
    """The needs of a device are what the broker's rules, its own subscriptions and `penates doctor` go by."""
    house.write(1)
    house.device("cellar", f'{CELLAR}[derive]\ncolder = "difference(temperature, cm/attic/data/temperature)"\n')
    (found,) = check(house.folder)
    assert ("derive", Listened("cm/attic/data/temperature")) in needs_of(found.device)
    assert read(house, CELLAR) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("derive = 5\n", "3: 'derive' must be a section, [derive]"),
        (
            '[derive]\ndew = "dew(temperature)"\n',
            "4: 'dew' must be one of absolute_humidity(temperature, humidity)",
        ),
        (
            '[derive]\ntemperature = "mean(temperature, 1h)"\n',
            "4: 'temperature' must be named otherwise: there is",
        ),
        ('[derive]\ntime = "mean(temperature, 1h)"\n', "4: 'time' must be named otherwise: the name of a measure is"),
        (
            '[derive]\nslow = "mean(temperature, 1h)"\n[slow]\nruond = 1\n',
            "6: no setting 'ruond'; did you mean",
        ),
        (
            '[derive]\nslow = "mean(temperature, 1h)"\n[slow]\nround = 1\nraw = true\n',
            "7: 'slow' is derived, and has no raw value; derive the same under another name",
        ),
        ('[derive]\nslow = "mean(temperature, 1h)"\n[slo]\nround = 1\n', "5: no measure 'slo'; did you mean 'slow'?"),
    ],
)
def test_what_is_wrong_with_a_derived_measure_is_said_with_its_line(house: House, text: str, wanted: str) -> None:
    assert fault(house, CELLAR + text).startswith(wanted)
