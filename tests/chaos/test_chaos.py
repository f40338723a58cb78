"""Half a minute of random faults, for each protocol. `scripts/chaos` does it for an hour, with other dice."""

import os
import random
import time
from collections.abc import Callable, Iterator

import pytest

from chaos.house import SENSORS, WELL_S, Chaos
from chaos.judge import GROWTH_KIB
from chaos.link import Link
from support.secrets_and_certificates import write_certificates
from support.world import Broker, House, eventually, free_port

SECONDS = float(os.environ.get("CHAOS_SECONDS", "25"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
SAVES = ("persistence true", "autosave_on_changes true", "autosave_interval 1", "max_queued_messages 0")


@pytest.fixture
def link(new_broker: Callable[..., Broker], house: House) -> Iterator[tuple[Broker, Link]]:
    """A broker that saves at once, and the way to its TLS listener."""
    write_certificates(house.folder, "localhost")
    port, state = free_port(), house.folder / "broker"
    state.mkdir()
    files = (f"certfile {house.folder}/ca.pem", f"keyfile {house.folder}/key.pem")
    broker = new_broker("broker", f"persistence_location {state}/", *SAVES, f"listener {port} 127.0.0.1", *files)
    link = Link(port)
    yield broker, link
    link.close()


@pytest.mark.long
@pytest.mark.exact
@pytest.mark.timeout(SECONDS * 4 + 300)
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_nothing_is_lost_twice_invented_or_out_of_order(house: House, link: tuple[Broker, Link], protocol: str) -> None:
    chaos = Chaos(*link, house, random.Random(f"{SEED} {protocol}"))
    chaos.furnish(protocol)
    chaos.begin()
    chaos.recover()
    before = chaos.used()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        chaos.strike()
        chaos.recover()
    eventually(lambda: chaos.states() == dict.fromkeys([*SENSORS, "recorder"], "online"), "all are online", WELL_S)
    after = chaos.used()
    findings = chaos.judge()
    assert chaos.end() == []
    story = "\n".join(chaos.log)
    assert {sensor: found.wrong for sensor, found in findings.items() if found.wrong} == {}, story
    assert {name for name in before if after[name][0] > before[name][0] + GROWTH_KIB} == set(), (before, after)
    assert {name for name in before if after[name][1] > before[name][1] + 4} == set(), (before, after)
