"""What `penates doctor` reads from a sensor's own words: how it is, where it runs, what waits to be delivered."""

import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap import clock
from bootstrap.config import Settings
from bootstrap.errors import Refused
from bootstrap.payload import decode
from penates.common import age
from penates.findings import Finding, bad, good, unknown
from penates.view import shown

PERIODS = 2  # without a heartbeat, after which it is late
NEARLY = 0.9  # of what may be kept
LAG_S = 3600

ALIVE = ("starting", "online", "fault")


@dataclass(frozen=True)
class Words:
    """What the broker has kept of one sensor's words; None where it has nothing."""

    state: bytes | None
    heartbeat: bytes | None
    about: bytes | None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return any((self.state, self.heartbeat, self.about))


def life(settings: Settings, words: Words, logs: str) -> Iterator[Finding]:
    """All that follows from them. `logs` is the command that shows the sensor's log."""
    heartbeat, about = _object(words.heartbeat), _object(words.about)
    beat_s = _age_s(heartbeat)
    fresh = beat_s is not None and beat_s < PERIODS * _number(heartbeat, "heartbeat_s")
    yield _state(settings, words, heartbeat, fresh=fresh, logs=logs)
    if fresh and (host := heartbeat.get("host") or about.get("host")):
        yield _place(str(host), beat_s or 0.0, settings)
    if fresh:
        yield from _delivery(settings, heartbeat)


def elsewhere(known: Mapping[str, Words]) -> Iterator[Finding]:
    """Of the sensors that are set up on other machines: those that are not well, and how many are."""
    well = 0
    for name, words in known.items():
        heartbeat = _object(words.heartbeat)
        host = shown(str(heartbeat.get("host") or _object(words.about).get("host") or "another machine").encode())
        state = shown(words.state) if words.state else "never said a word"
        beat_s = _age_s(heartbeat)
        late = state in ALIVE and beat_s is not None and beat_s > PERIODS * _number(heartbeat, "heartbeat_s") > 0
        if state in ("online", "starting", "stopped") and not late:
            well += 1
            continue
        why = f"says {state}, last heartbeat {age(beat_s or 0)} ago" if late else state
        yield bad(
            "elsewhere",
            f"{name}, on {host}: {why}",
            f"on {host}: sudo penates doctor; if it is gone for good: sudo penates prune --gone {name}",
        )
    if known and well:
        yield good("elsewhere", f"sensors on other machines that are well: {well}")


def _object(payload: bytes | None) -> dict[str, Any]:
    try:
        found = decode(payload or b"{}")
    except Refused:
        return {}
    return found if isinstance(found, dict) else {}


def _number(facts: dict[str, Any], name: str) -> float:
    found = facts.get(name)
    return found if isinstance(found, int | float) else 0


def _age_s(heartbeat: dict[str, Any]) -> float | None:
    try:
        return time.time() - clock.parse(str(heartbeat.get("time"))).timestamp()
    except Refused:
        return None


def _state(settings: Settings, words: Words, heartbeat: dict[str, Any], *, fresh: bool, logs: str) -> Finding:
    state = shown(words.state) if words.state else ""
    beat_s = _age_s(heartbeat)
    last = f"last heartbeat {age(beat_s)} ago" if beat_s is not None else "no heartbeat"
    if not state:
        return bad("state", "it has never said a word to this broker", f"does it run? {logs}")
    if state in ("stopped", "lost"):
        return bad("state", f"{state}; {last}", f"why? {logs}")
    if state == "fault":
        return bad("state", f"fault: {shown(str(heartbeat.get('why')).encode())}", logs)
    if not settings.heartbeat_s:
        return unknown("state", f"{state}, by the last it said", "with `heartbeat_s` in house.toml it could be known")
    if not fresh:
        return bad("state", f"it says {state}, but {last}", f"does it hang? {logs}")
    return good("state", f"{state}; {last}")


def _place(host: str, beat_s: float, settings: Settings) -> Finding:
    """One of a name: a second one would throw the first out, and be thrown out."""
    here = socket.gethostname()
    if host == here:
        return good("alone", "it runs here, and nowhere else that is known")
    text = f"it runs on {shown(host.encode())}, heard {age(beat_s)} ago, and this is {here}"
    return bad("alone", text, f"remove {settings.file} here or there, or say sensor = … in one of them")


def _delivery(settings: Settings, heartbeat: dict[str, Any]) -> Iterator[Finding]:
    """What a fresh heartbeat says of the clock, and of what waits."""
    if heartbeat.get("clock") == "unsure":
        yield bad("time", "its clock was not set when it last spoke", "timedatectl set-ntp true")
    if (lag_s := _number(heartbeat, "lag_s")) > LAG_S:
        advice = "it is catching up, or its store is slow or away: docs/STORES.md"
        yield bad("recorder", f"what it stores now is {age(lag_s)} old; {_number(heartbeat, 'waiting'):g} wait", advice)
    stored, dropped = _number(heartbeat, "stored"), _number(heartbeat, "dropped")
    if why := heartbeat.get("storage"):
        yield bad("outbox", f"readings cannot be kept on disk: {shown(str(why).encode())}", "df -h; touch a file there")
    elif stored >= NEARLY * settings.history.records:
        advice = "bring the broker, or the recorder, back; `records` in [history] says how many are kept"
        yield bad("outbox", f"{stored:g} readings wait, and the oldest will soon be given up", advice)
    elif dropped:
        advice = "what was refused lies in refused.jsonl; a start sets the count back to 0"
        yield bad("outbox", f"{dropped:g} messages were given up since its start", advice)
    else:
        yield good("outbox", f"readings that wait on disk: {stored:g}; none was given up")
