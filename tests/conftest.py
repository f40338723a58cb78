"""Fixtures: a broker, eyes on it, and a house, each gone when its test is over."""

import os
import signal
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import hypothesis
import pytest

from fuzz.run import HAVE_ATHERIS
from support.assistant import too_old
from support.gauges import RAIN
from support.journald import Journald
from support.leaks import Leaks
from support.machine import Machine, can_be_made
from support.places import Place
from support.secrets_and_certificates import write_certificates, write_password
from support.sites import Sites
from support.world import Broker, Eyes, House, Supervisor, Wires

# Started in the background by a shell, we would ignore Ctrl-C, and so would all that we start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The same examples each time; `HYPOTHESIS_PROFILE=search scripts/test …` looks for new ones.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever waits longest starts first, each in a worker of its own: at the start each takes two.

    Where Home Assistant is too old to be run, its schemas alone are asked.
    """
    if too_old():
        run = [item for item in items if "start_assistant" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=run)
        items[:] = [item for item in items if item not in run]
    long = [item for item in items if item.get_closest_marker("long")]
    short = [item for item in items if not item.get_closest_marker("long")]
    pairs = [item for pair in zip_longest(long, short[: len(long)]) for item in pair if item]
    items[:] = pairs + short[len(long) :]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was tested less than it could be, where such tests were run at all."""
    files = {report.nodeid for reports in terminalreporter.stats.values() for report in reports}

    def ran(name: str) -> bool:
        return any(name in node for node in files)

    if not HAVE_ATHERIS and ran("fuzz/test_fuzz.py"):
        why = "NO atheris FOR THIS PYTHON OR MACHINE: tests/fuzz/test_fuzz.py mutated blindly, which finds less"
        terminalreporter.write_line(why, yellow=True)
    if too_old() and ran("homeassistant/test_home_assistant.py"):
        why = "NO PYTHON 3.12 OR LATER: Home Assistant was not run, only its schemas were asked, and none of a device"
        terminalreporter.write_line(why, yellow=True)


@pytest.fixture(autouse=True)
def _closes_what_it_opens() -> Iterator[None]:
    """Fail the test that leaves something open, not whoever runs when that is collected."""
    leaks = Leaks()
    yield
    assert leaks.found() == []


@pytest.fixture(autouse=True)
def _without_coverage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a test's processes as they are in a house, where coverage would change what is measured."""
    if any(request.node.get_closest_marker(name) for name in ("exact", "fault")):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def new_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Make brokers of one's own: name, lines of its configuration, port."""
    made: list[Broker] = []

    def make(name: str, *lines: str, listener: bool = True, port: int = 0) -> Broker:
        made.append(Broker(tmp_path / name, *lines, listener=listener, port=port))
        return made[-1].start()

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(new_broker: Callable[..., Broker]) -> Broker:
    return new_broker("broker")


@pytest.fixture
def eyes(broker: Broker) -> Iterator[Eyes]:
    eyes = Eyes(broker.port)
    yield eyes
    eyes.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    yield house
    house.close()


@pytest.fixture
def wires(house: House, broker: Broker) -> Wires:
    house.write(broker.port)
    return Wires(house)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.close()


@pytest.fixture
def cellar(house: House, broker: Broker) -> House:
    """A house with one thermometer that reads every second."""
    house.write(broker.port)
    house.thermometer()
    return house


@pytest.fixture
def guarded(new_broker: Callable[..., Broker], tmp_path: Path) -> Broker:
    """A broker that wants a password, and lets each user write its own topics only, but for the history."""
    place = tmp_path / "guarded"
    place.mkdir()
    write_password(place, "opensesame")
    (place / "acl").write_text(
        "user eyes\ntopic readwrite #\n"
        "pattern write cm/%u/data/temperature\npattern readwrite cm/%u/status/#\npattern read cm/%u/action/#\n"
        "pattern readwrite homeassistant/device/cm-%u/config\n"
    )
    return new_broker("guarded", "allow_anonymous false", f"password_file {place}/passwords", f"acl_file {place}/acl")


@pytest.fixture
def tls_broker(new_broker: Callable[..., Broker], tmp_path: Path) -> Broker:
    place = tmp_path / "tls"
    place.mkdir()
    write_certificates(place, "localhost")
    files = (f"certfile {place}/ca.pem", f"keyfile {place}/key.pem")
    return new_broker("tls", "listener {port} 127.0.0.1", *files, listener=False)


@pytest.fixture
def new_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Machine]]:
    can_be_made()
    made: list[Machine] = []

    def make(name: str) -> Machine:
        made.append(Machine(tmp_path_factory.mktemp("machine"), name))
        return made[-1]

    yield make
    for machine in made:
        machine.close()


@pytest.fixture
def machine(new_machine: Callable[[str], Machine]) -> Machine:
    return new_machine("firstpi")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    can_be_made()
    machine = Machine(tmp_path_factory.mktemp("machine"), "firstpi")
    machine.penates("install")
    machine.calls()
    yield machine
    machine.close()


@pytest.fixture
def installed(template: Machine, tmp_path: Path) -> Iterator[Machine]:
    machine = template.copy(tmp_path / "installed")
    yield machine
    machine.close()


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    journald = Journald(tmp_path)
    yield journald
    journald.close()


@pytest.fixture
def rainy(house: House) -> House:
    house.write(1)
    (house.folder / "gauges.py").write_text(RAIN)
    return house


@pytest.fixture
def place(house: House, tmp_path: Path) -> Place:
    """A door and a cellar in one group, an attic in another."""
    place = Place(house, tmp_path / "mosquitto")
    house.device("door", 'kind = "door"\npin = 17\n')
    house.device("lamp", 'kind = "lamp"\npin = 22\n')
    house.device("recorder", 'kind = "recorder"\nevery_s = 0.5\n')
    house.thermometer("cellar")
    house.thermometer("attic")
    with (house.folder / "devices" / "attic.toml").open("a") as file:
        file.write('group = "up"\n')
    return place


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    """Two sites, to be started; their brokers keep their sessions even when they are killed."""
    sites = Sites(tmp_path)
    yield sites
    sites.close()
