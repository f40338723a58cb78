"""The link to another site, as the broker here tells of it: whether its two connections are up, and what has come."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bootstrap.contract.sites import HISTORY, STATE, notification
from bootstrap.contract.topics import Kind
from penates.fleet.probe import MqttProbe

UP = {b"1": True, b"0": False}


class Connections(NamedTuple):
    """Whether the connections of a site that calls are up; None if one never was.

    Attributes:
        history: the one for the readings.
        state: the one for everything else.
    """

    history: bool | None
    state: bool | None

    @property
    def down(self) -> list[str]:
        """The names of those that are not up."""
        return [name for name, up in self._asdict().items() if not up]


@dataclass(frozen=True)
class LinkState:
    """What is retained of a link.

    Attributes:
        connections: those of each site that calls, by its name.
        states: the state of each sensor of the other site, by `group/sensor`, as it reads here.
    """

    connections: dict[str, Connections]
    states: dict[str, str]

    @property
    def up(self) -> bool:
        """Whether all comes through."""
        return all(all(one) for one in self.connections.values())


def link_state(probe: MqttProbe, callers: Sequence[str], groups: Sequence[str]) -> LinkState:
    """Return what the broker retains now of the link that `callers` have made, and of the sensors of these groups.

    Raises:
        Silent: the broker does not answer.
    """
    probe.received.clear()
    topics = {caller: [notification(caller, one) for one in (HISTORY, STATE)] for caller in callers}
    told = [topic for each in topics.values() for topic in each]
    states = f"+/{Kind.STATUS}/state"
    held = probe.retained([*told, *(f"{group}/{states}" for group in groups)])
    connections = {
        caller: Connections(*(UP.get(held.get(one, b"")) for one in each)) for caller, each in topics.items()
    }
    shown = {name.removesuffix("/status/state"): text.decode(errors="replace") for name, text in held.items()}
    return LinkState(connections, {name: text for name, text in sorted(shown.items()) if name not in told})


def wait_for_link(probe: MqttProbe, callers: Sequence[str], groups: Sequence[str], patience_s: float) -> LinkState:
    """Wait until a link is up and the first sensor of the other site is known; return how it is then, or at the end.

    Raises:
        Silent: the broker does not answer.
    """
    deadline = time.monotonic() + patience_s
    while True:
        found = link_state(probe, callers, groups)
        left_s = deadline - time.monotonic()
        if (found.up and found.states) or left_s <= 0:
            return found
        probe.wait(min(left_s, 1.0))
