"""Lines against the parser they are for: what a line says is what InfluxDB understands."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.errors import Refused
from bootstrap.history.influx.line_protocol import TAGS, lines
from bootstrap.history.points import Point
from bootstrap.history.stores import Store, StoreSettings
from support.stores import Influx, started

UNSAYABLE = re.compile(r"[\\\x00-\x1f\x7f]")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.text(",= \\\"'#\n\tä°", max_size=8)
names = texts | st.sampled_from(["temperature", "time", "kind", "_x", "-", "0"])
levels = texts.filter(lambda text: "/" not in text)
numbers = st.floats(allow_nan=False, allow_infinity=False)
points = st.builds(
    lambda group, sensor, kind, time_us, fields: Point(f"{group}/{sensor}", time_us, "r1", 1, fields, kind=kind),
    *(levels, levels, texts, st.integers(-(2**52), 2**52)),
    st.dictionaries(names, numbers | texts, max_size=3),
)


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    yield from started(Influx, tmp_path_factory.mktemp("influx") / "database")


@pytest.fixture(scope="module")
def databases() -> Iterator[int]:
    return itertools.count()


def can_be_said(name: str, value: float | str) -> bool:
    if UNSAYABLE.search(name) or name in {*TAGS, "time", ""}:
        return False
    return not isinstance(value, str) or "\n" not in value


@settings(max_examples=40, deadline=None)
@given(points)
def test_a_point_is_read_back_as_it_was_or_refused(influx: Influx, databases: Iterator[int], point: Point) -> None:
    group, sensor = point.sensor.split("/")
    good = {name: value for name, value in point.fields.items() if can_be_said(name, value)}
    try:
        lines(point)
    except Refused:
        assert not good or any(UNSAYABLE.search(name) for name in (group, sensor, point.kind))
        return
    database = f"d{next(databases)}"
    store: Store = StoreSettings(store="influxdb1", url=influx.url, database=database).open_store(Path())
    assert store.put([point]) == {}
    store.close()
    assert influx.stored(database) == [(group, sensor, point.kind, point.time_us, good)]
    influx.query(f'DROP DATABASE "{database}"')


def test_a_database_with_any_name_is_created(influx: Influx) -> None:
    name = "our, 'past' = ä"
    store: Store = StoreSettings(store="influxdb1", url=influx.url, database=name).open_store(Path())
    assert store.put([Point("cm/attic", 1, "r1", 1, {"level": 1.0})]) == {}
    store.close()
    assert influx.stored(name) == [("cm", "attic", "", 1, {"level": 1.0})]
