"""Grafana's dashboards and how they are provisioned, as files."""

import re
from pathlib import Path

import pytest

from bootstrap.config import kinds
from support.paths import ROOT
from support.stores import Influx, Victoria

SHIPPED = ROOT / "config" / "grafana"
STORES = {"influxdb": Influx, "victoriametrics": Victoria}


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    store: str = request.param
    return store


@pytest.mark.parametrize("store", STORES)
def test_the_dashboards_ask_the_source_that_is_provisioned(store: str) -> None:
    source = (SHIPPED / "provisioning" / "datasources" / f"penates-{store}.yaml").read_text()
    uid = re.search(r"^ +uid: (.*)$", source, re.MULTILINE)
    assert uid
    assert re.search(rf"path: /etc/grafana/penates/{store}$", _provider(store), re.MULTILINE)
    for file in (SHIPPED / "dashboards" / store).iterdir():
        assert set(re.findall(r'"uid": "(.*)"', file.read_text())) == {uid[1], _uid(file, store)}


def _provider(store: str) -> str:
    return (SHIPPED / "provisioning" / "dashboards" / f"penates-{store}.yaml").read_text()


def _uid(file: Path, store: str) -> str:
    return f"penates-{file.stem}" + ("" if store == "influxdb" else f"-{store}")


def test_every_measure_that_has_a_unit_is_drawn_in_it() -> None:
    text = (SHIPPED / "dashboards" / "influxdb" / "house.json").read_text()
    units: dict[str, set[object]] = {}
    for kind in kinds.names():
        for name, measure in kinds.find(kind, ROOT).measures.items():
            units.setdefault(name, set()).add(measure.unit)
    for name, of in units.items():  # a name that kinds use for several quantities has no unit
        assert len(of) > 1 or of & {"1", str, dict} or re.search(rf"[(|]{name}[)|]", text), name


def test_what_the_page_has_one_copy_is_there() -> None:
    page = (ROOT / "docs" / "GRAFANA.md").read_text()
    named = set(re.findall(r"(?<![/\w])(?:config|mosquitto|scripts|tests)/[\w./-]+\w", page))
    assert len(named) > 8
    assert [name for name in named if not (ROOT / name).exists()] == []
