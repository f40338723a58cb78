"""Each test here is a fault with a promise, as its marker says; what it measures is a row of docs/RELIABILITY.md.

@pytest.mark.fault("the broker is killed", promise="nothing lost, in order", lost=0, within_s=10)
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.faults.archive import Archive
from support.faults.link_cut import LinkCut
from support.faults.promises import Promise, Verdict
from support.faults.reliability import PAGE, Row, read_rows, stale, write_rows
from support.faults.scene import Scene
from support.faults.wire import Wire
from support.sites import ApartSites, Sites
from support.world import Broker, House

VERDICT = "verdict"
PASSED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reliability", type=Path, help="write what the faults have cost into this page")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Collector(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[PASSED] = report.passed
    return report


class Collector:
    """Gathers the verdicts, also from the workers of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._rows, self._failed = config, list[Row](), set[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
        elif report.when == "teardown" and report.nodeid not in self._failed:
            found: list[Any] = [value for name, value in report.user_properties if name == VERDICT]
            self._rows += [Row(*value) for value in found]

    def pytest_sessionfinish(self) -> None:
        page = self._config.getoption("--reliability", default=None)
        if page and not hasattr(self._config, "workerinput"):
            write_rows(page, self._rows)


@pytest.fixture
def promise(request: pytest.FixtureRequest) -> Promise:
    marker = request.node.get_closest_marker("fault")
    assert marker, "say by @pytest.mark.fault which fault this is, and what is promised"
    timed = bool(request.config.getoption("--reliability"))
    return replace(Promise(*marker.args, **marker.kwargs), timed=timed)


@pytest.fixture
def new_scene(
    new_broker: Callable[..., Broker], house: House, promise: Promise, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Scene]]:
    """Make a scene whose broker has more lines of configuration, and wants a login of the recorder."""
    made: list[Scene] = []

    def make(*lines: str, forgetful: bool = False, **login: str) -> Scene:
        kept = () if forgetful else remember(tmp_path / "remembering")
        broker = new_broker("remembering", *kept, *lines)
        made.append(Scene(broker, house, promise, **login))
        return made[0]

    yield make
    made[0].close()
    conclude(promise, made[0].verdict, request)


@pytest.fixture
def new_archive(
    new_broker: Callable[..., Broker], house: House, promise: Promise, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Archive]]:
    """Make a recorder's world, whose broker has these lines of configuration."""
    made: list[Archive] = []

    def make(*lines: str) -> Archive:
        broker = new_broker("remembering", *(lines or remember(tmp_path / "remembering")))
        made.append(Archive(broker, house, promise))
        return made[0]

    yield make
    conclude(promise, made[0].verdict, request)


@pytest.fixture
def archive(new_archive: Callable[..., Archive]) -> Archive:
    return new_archive()


def conclude(promise: Promise, verdict: Verdict | None, request: pytest.FixtureRequest) -> None:
    """Write down what a test has measured, if it passed."""
    if request.node.stash.get(PASSED, False):
        assert verdict, "a test of a fault ends with finish() or judge()"
        write_down(Row.of(promise, verdict), promise, request)


def remember(place: Path) -> tuple[str, ...]:
    """A broker that keeps its sessions even when it is killed, and has room in its queues for an outage."""
    kept = ("persistence true", f"persistence_location {place}/", "autosave_interval 1", "autosave_on_changes true")
    return (*kept, "max_queued_messages 100000", "max_inflight_messages 1000")


def write_down(row: Row, promise: Promise, request: pytest.FixtureRequest) -> None:
    """For the page, or against it."""
    request.node.user_properties.append((VERDICT, list(row)))
    if not request.config.getoption("--reliability", default=None):
        assert not stale(row, promise, read_rows(PAGE)), f"{PAGE.name} says otherwise; run scripts/reliability"


@pytest.fixture
def scene(new_scene: Callable[..., Scene]) -> Scene:
    return new_scene()


@pytest.fixture
def wire(scene: Scene) -> Iterator[Wire]:
    """What the daemon reaches its broker by; the recorder does not."""
    wire = Wire(scene.broker.port)
    scene.configure(wire.port)
    yield wire
    wire.close()


@pytest.fixture
def link_cut(sites: Sites, promise: Promise, request: pytest.FixtureRequest) -> Iterator[LinkCut[Sites]]:
    link_cut = LinkCut(sites, promise)
    yield link_cut
    conclude(promise, link_cut.verdict, request)


@pytest.fixture
def new_cable_cut(
    tmp_path: Path, promise: Promise, request: pytest.FixtureRequest
) -> Iterator[Callable[..., LinkCut[ApartSites]]]:
    """Make two sites in networks of their own; at another pace of the bridge, if you like."""
    made: list[LinkCut[ApartSites]] = []

    def make(**more: Any) -> LinkCut[ApartSites]:
        made.append(LinkCut(ApartSites(tmp_path, **more), promise))
        return made[0]

    yield make
    made[0].sites.close()
    conclude(promise, made[0].verdict, request)
