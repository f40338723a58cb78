"""What a daemon says on the wire: how it is, what it is, and what its device measured."""

import os
import secrets
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bootstrap import clock, log
from bootstrap.device import Device, Reading
from bootstrap.errors import Refused
from bootstrap.health import GONE, Health, reason, told
from bootstrap.link import Link
from bootstrap.notify import notify
from bootstrap.outbox import Outbox
from bootstrap.payload import decode, encode
from bootstrap.topics import State, Topics

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
RUN_LENGTH = 8
MEGABYTE = 1_000_000
LOST = b"lost"
ENDED = ("stopped", "lost")
STATM = Path("/proc/self/statm")


def new_run() -> str:
    """A name for this start of the daemon that no other start has."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RUN_LENGTH))


def rss_mb() -> float:
    """The memory this process has in RAM, in megabytes."""
    pages = int(STATM.read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE, 1)


class Reporter:
    """Puts state and history in the outbox, in the order of birth: state, about, heartbeat, health, the measures."""

    def __init__(self, topics: Topics, outbox: Outbox, heartbeat_s: float, link: Link, device: Device) -> None:
        self._topics, self._outbox, self._clock = topics, outbox, outbox.clock
        self.heartbeat_s, self._link = heartbeat_s, link
        self._device = device
        self._health = Health(device, time.monotonic())
        self._health_told: list[tuple[object, ...]] = []
        self._health_put = b""
        self._blind, self._unwell = False, set[str]()  # as the log knows it
        self._troubles: dict[str, str] = {}
        self._started_at, self._born_at = time.monotonic(), time.time()
        self._run = new_run()
        self._seq = 0
        self._last_reading: str | None = None
        self.reads = self.faults = 0
        self._why, self._standing = "", "connecting to the broker"
        self._measured = False
        self.state: State = "starting"
        self.say_state("starting")

    def take(self, device: Device) -> None:
        """Speak of this device from now on. Run, counts and state go on; what only the one before measured is gone."""
        for name in self._device.measures.keys() - device.measures.keys():
            self._outbox.put_state(self._topics.data(name), b"")
        refused = self._health.refused
        self._device, self._health = device, Health(device, time.monotonic())
        self._health.refused = refused
        self._unwell &= device.measures.keys()

    def say_state(self, state: State, why: str = "") -> None:
        """Say how we are, and in a fault why."""
        self.state, self._why = state, why
        self.say_status()
        self._outbox.put_state(self._topics.status("state"), encode(state))

    def say_trouble(self, what: str, why: str | None) -> None:
        """A trouble that is none of the measures': the state is `fault` while there is one. None: it is over.

        Like all that is said here, it waits in the outbox for the link to be pumped.
        """
        if why is None:
            self._troubles.pop(what, None)
        else:
            self._troubles[what] = why
        self._follow()

    def sift(self, reading: Reading) -> tuple[Reading, dict[str, str]]:
        """What of a reading may be published, and why the rest of it is refused; that is counted.

        Raises:
            TypeError: a measure that was never declared: a bug.
        """
        refused = self._health.sift(reading, time.monotonic())
        return {name: value for name, value in reading.items() if name not in refused}, refused

    def say_measured(
        self, good: Reading, refused: Mapping[str, str], at_us: int | None = None, *, whole: bool = False
    ) -> None:
        """Say what was measured, then how the measures are: whoever trusts `online` must not find an old value.

        `whole` is for a read: what it gives no value of has none. `at_us` is as in `say_reading`.
        """
        now = time.monotonic()
        if good:
            self._health.good(good, self.say_reading(good, at_us), now)
        self._health.bad(refused)
        if whole:
            self._health.passed_over(good.keys() | refused.keys(), now)
        self.faults += bool(refused) and not good
        self._measured = self._measured or whole or bool(good)
        self._log_health()
        self._follow()

    def say_failure(self, error: OSError | ValueError) -> str:
        """Say that nothing could be measured, and return why."""
        self.faults += 1
        why = reason(error)
        self._health.failed(why, absent=isinstance(error, OSError) and error.errno in GONE)
        self._log_health()
        self._follow()
        return why

    def say_absent(self, error: OSError) -> None:
        """Say that the device was not there at the start."""
        self._health.failed(reason(error), absent=True)
        self._follow()

    def _log_health(self) -> None:
        """What becomes bad, and what is well again, once: the device, or else the measure."""
        blind, complaints = self._health.blind, self._health.complaints
        if blind and not self._blind:
            log.error("cannot read the device", error=told(complaints))
        elif self._blind and not blind:
            log.info("reading again", **({"but": told(complaints)} if complaints else {}))
        else:
            for name in (name for name in complaints if name not in self._unwell):
                log.error("a measure is not well", measure=name, reason=complaints[name])
            for name in sorted(self._unwell - complaints.keys()):
                log.info("a measure is well again", measure=name)
        self._blind, self._unwell = blind, set(complaints)

    def _follow(self) -> None:
        """State follows from health, and after it: whoever sees a fault finds there why."""
        if self._health_told != self._health.outline:
            self._put_health()
        if self.state in ENDED:
            return
        why = told({**self._health.complaints, **self._troubles})
        state: State = "fault" if why else "online" if self._measured else "starting"
        if state != self.state:
            self.say_state(state, why)
        elif why != self._why:
            self._why = why
            self.say_status()

    def _put_health(self) -> None:
        """If there is anything new."""
        self._health_told = self._health.outline
        payload = encode(self._health.facts)
        if payload != self._health_put:
            self._health_put = payload
            self._outbox.put_state(self._topics.status("health"), payload)

    def say_link(self, standing: str) -> None:
        """Say to whoever supervises us how we stand with the broker."""
        self._standing = standing
        self.say_status()

    def say_status(self) -> None:
        """Say to whoever supervises us how we are."""
        notify(self.status, f"X_STATE={self.state}", f"X_WHY={self._why}")

    @property
    def status(self) -> str:
        """For `systemctl status`: how we are, how we stand with the broker, when we read last, what waits."""
        parts = [f"{self.state}: {self._why}" if self._why else self.state, self._standing]
        if self._last_reading:
            parts.append(f"last reading {self._last_reading[:19]}Z")
        if not self._link.up and self._outbox.queued:
            parts.append(f"{self._outbox.queued} to deliver")
        return f"STATUS={'; '.join(parts)}"

    def correct(self, heard: bytes) -> None:
        """Somebody's word about our state. If it is an old will, ours is said again at once."""
        if heard == LOST and self.state != "lost":
            log.warning("the broker called us lost; corrected", state=self.state)
            self.say_state(self.state, self._why)

    def elder(self, heartbeat: bytes) -> str | None:
        """Where another daemon of our name runs, if a heartbeat shows one that is older, and alive since we are."""
        with suppress(Refused):
            match decode(heartbeat):
                case {"run": str(run), "time": str(moment), "uptime_s": float(uptime_s), **rest} if run != self._run:
                    said_at = clock.parse(moment).timestamp()
                    if said_at - uptime_s < self._born_at < said_at:
                        return f"on {rest.get('host', 'a host unknown')} (run {run})"
        return None

    def _uptime_s(self) -> float:
        return round(time.monotonic() - self._started_at, 1)

    def say_about(self, about: Mapping[str, Any]) -> None:
        """Say what we are."""
        self._outbox.put_state(self._topics.status("about"), encode(about))

    def say_heartbeat(self) -> None:
        """Say that we are alive, and how well. If heartbeats are off, an old one must not tell of a dead sensor."""
        beat = encode(self._heartbeat()) if self.heartbeat_s else b""
        self._outbox.put_state(self._topics.status("heartbeat"), beat)
        self._put_health()

    def _heartbeat(self) -> dict[str, Any]:
        return {
            **self._device.progress(),
            "time": clock.now(),
            "clock": "unsure" if self._clock.unsure else "ok",
            "run": self._run,
            "uptime_s": self._uptime_s(),
            "heartbeat_s": self.heartbeat_s,
            "why": self._why or None,
            "last_reading": self._last_reading,
            "reads": self.reads,
            "faults": self.faults,
            "refused": self._health.refused,
            "queued": self._outbox.queued,
            "stored": self._outbox.history.stored,
            "storage": self._outbox.history.disk_trouble,
            "dropped": self._outbox.dropped,
            "reconnects": self._link.reconnects,
            "rss_mb": rss_mb(),
            "host": socket.gethostname(),
        }

    def say_reading(self, reading: Reading, at_us: int | None = None) -> str:
        """Say what was measured, now or at `at_us`: the record for the history, and each value as state.

        Returns the time of the reading.
        """
        self._seq += 1
        stamp = self._clock.stamp(at_us)
        self._last_reading = stamp["time"]
        head = {"time": self._last_reading, "run": self._run, "seq": self._seq, **stamp}
        self._outbox.put_history(self._topics.data("reading"), encode({**head, **reading}), time.monotonic())
        for name, value in reading.items():
            self._say_value(name, encode(value))
        log.debug("read", seq=self._seq, reading=dict(reading))
        return self._last_reading

    def _say_value(self, name: str, payload: bytes) -> None:
        """A state is always told; an event only to those who hear it as it happens: the history has it anyway."""
        if not self._device.measures[name].event:
            self._outbox.put_state(self._topics.data(name), payload)
        elif self._link.up:
            self._outbox.put_word(self._topics.data(name), payload)

    def say_answer(self, answer: dict[str, object]) -> None:
        """Answer a command."""
        self._outbox.put_word(self._topics.status("action"), encode(answer))
