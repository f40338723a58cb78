"""The link to another site, as the broker here tells of it: whether its two connections are up, and what has come."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.contract.sites import HISTORY, STATE, notification
from bootstrap.contract.topics import Kind
from penates.fleet.probe import MqttProbe

UP = {b"1": True, b"0": False}


@dataclass(frozen=True)
class LinkState:
    """What is retained of a link.

    Attributes:
        history: whether the connection for the readings is up; None if it never was.
        state: whether that for everything else is.
        states: the state of each sensor of the other site, by `group/sensor`, as it reads here.
    """

    history: bool | None
    state: bool | None
    states: dict[str, str]

    @property
    def up(self) -> bool:
        """Whether all comes through."""
        return bool(self.history and self.state)


def link_state(probe: MqttProbe, caller: str, groups: Sequence[str]) -> LinkState:
    """Return what the broker retains now of the link that `caller` has made, and of the sensors of these groups.

    Raises:
        Silent: the broker does not answer.
    """
    probe.received.clear()
    topics = [notification(caller, one) for one in (HISTORY, STATE)]
    states = f"+/{Kind.STATUS}/state"
    held = probe.retained([*topics, *(f"{group}/{states}" for group in groups)])
    history, state = (UP.get(held.get(topic, b"")) for topic in topics)
    shown = {name.removesuffix("/status/state"): text.decode(errors="replace") for name, text in held.items()}
    return LinkState(history, state, {name: text for name, text in sorted(shown.items()) if name not in topics})


def wait_for_link(probe: MqttProbe, caller: str, groups: Sequence[str], patience_s: float) -> LinkState:
    """Wait until a link is up and the first sensor of the other site is known; return how it is then, or at the end.

    Raises:
        Silent: the broker does not answer.
    """
    deadline = time.monotonic() + patience_s
    while True:
        found = link_state(probe, caller, groups)
        left_s = deadline - time.monotonic()
        if (found.up and found.states) or left_s <= 0:
            return found
        probe.wait(min(left_s, 1.0))
