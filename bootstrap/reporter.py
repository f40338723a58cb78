"""What a daemon says on the wire: how it is, what it is, and what its device measured."""

import os
import secrets
import socket
import time
from pathlib import Path
from typing import Literal, TypeAlias

from bootstrap import __version__, clock, log
from bootstrap.device import Device, Reading
from bootstrap.errors import Refused
from bootstrap.link import Link
from bootstrap.notify import notify
from bootstrap.outbox import Outbox
from bootstrap.payload import decode, encode
from bootstrap.topics import Topics

State: TypeAlias = Literal["starting", "online", "fault", "stopped", "lost"]

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
RUN_LENGTH = 8
MEGABYTE = 1_000_000
LOST = b"lost"
STATM = Path("/proc/self/statm")


def new_run() -> str:
    """A name for this start of the daemon that no other start has."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RUN_LENGTH))


def rss_mb() -> float:
    """The memory this process has in RAM, in megabytes."""
    pages = int(STATM.read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE, 1)


class Reporter:
    """Puts state and history in the outbox, in the order of birth: state, about, heartbeat, then the measures."""

    def __init__(self, topics: Topics, outbox: Outbox, heartbeat_s: float, link: Link) -> None:
        self._topics, self._outbox, self._clock = topics, outbox, outbox.clock
        self._heartbeat_s, self._link = heartbeat_s, link
        self._events: set[str] = set()
        self._started_at, self._born_at = time.monotonic(), time.time()
        self._run = new_run()
        self._seq = 0
        self._last_reading: str | None = None
        self.reads = self.faults = 0
        self._why, self._standing = "", "connecting to the broker"
        self.state: State = "starting"
        self.say_state("starting")

    def say_state(self, state: State, why: str = "") -> None:
        """Say how we are, and in a fault why."""
        self.state, self._why = state, why
        self._say_status()
        self._outbox.put_state(self._topics.status("state"), encode(state))

    def say_link(self, standing: str) -> None:
        """Say to whoever supervises us how we stand with the broker."""
        self._standing = standing
        self._say_status()

    def _say_status(self) -> None:
        state = f"{self.state}: {self._why}" if self._why else self.state
        notify(f"STATUS={state}; {self._standing}", f"X_STATE={self.state}", f"X_WHY={self._why}")

    def correct(self, heard: bytes) -> None:
        """Somebody's word about our state. If it is an old will, ours is said again at once."""
        if heard == LOST and self.state != "lost":
            log.warning("the broker called us lost; corrected", state=self.state)
            self.say_state(self.state, self._why)

    def is_elder(self, heartbeat: bytes) -> bool:
        """Whether a heartbeat shows another daemon of our name, older than us and alive since we are."""
        try:
            match decode(heartbeat):
                case {"run": str(run), "time": str(moment), "uptime_s": float(uptime_s)} if run != self._run:
                    said_at = clock.parse(moment).timestamp()
                    return said_at - uptime_s < self._born_at < said_at
        except Refused:
            pass
        return False

    def _uptime_s(self) -> float:
        return round(time.monotonic() - self._started_at, 1)

    def say_about(self, kind: str, device: Device, actions: list[str]) -> None:
        """Say what we are: all that discovery, displays and recorders need."""
        self._events = {name for name, measure in device.measures.items() if measure.event}
        measures = {name: {**measure.facts, "every_s": device.every_s} for name, measure in device.measures.items()}
        about = {
            "kind": kind,
            "measures": measures,
            "actions": actions,
            "version": __version__,
            "host": socket.gethostname(),
        }
        self._outbox.put_state(self._topics.status("about"), encode(about))

    def say_heartbeat(self) -> None:
        """Say that we are alive, and how well; nothing if heartbeats are off."""
        if not self._heartbeat_s:
            return
        heartbeat = {
            "time": clock.now(),
            "clock": "unsure" if self._clock.unsure else "ok",
            "run": self._run,
            "uptime_s": self._uptime_s(),
            "heartbeat_s": self._heartbeat_s,
            "last_reading": self._last_reading,
            "reads": self.reads,
            "faults": self.faults,
            "queued": self._outbox.queued,
            "stored": self._outbox.history.stored,
            "storage": self._outbox.history.disk_trouble,
            "dropped": self._outbox.dropped,
            "reconnects": self._link.reconnects,
            "rss_mb": rss_mb(),
        }
        self._outbox.put_state(self._topics.status("heartbeat"), encode(heartbeat))

    def say_reading(self, reading: Reading, at_us: int | None = None) -> None:
        """Say what was measured, now or at `at_us`: the record for the history, and each value as state."""
        self._seq += 1
        stamp = self._clock.stamp(at_us)
        self._last_reading = stamp["time"]
        head = {"time": self._last_reading, "run": self._run, "seq": self._seq, **stamp}
        self._outbox.put_history(self._topics.data("reading"), encode({**head, **reading}), time.monotonic())
        for name, value in reading.items():
            self._say_value(name, encode(value))
        log.debug("read", seq=self._seq, reading=dict(reading))

    def _say_value(self, name: str, payload: bytes) -> None:
        """A state is always told; an event only to those who hear it as it happens: the history has it anyway."""
        if name not in self._events:
            self._outbox.put_state(self._topics.data(name), payload)
        elif self._link.up:
            self._outbox.put_word(self._topics.data(name), payload)

    def say_answer(self, answer: dict[str, object]) -> None:
        """Answer a command."""
        self._outbox.put_word(self._topics.status("action"), encode(answer))
