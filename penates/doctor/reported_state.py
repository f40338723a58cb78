"""What `penates doctor` reads from a sensor's own messages: its state, its host, and what is undelivered."""

import socket
import time
from collections.abc import Iterator, Mapping

from bootstrap.config.model import SensorSettings
from bootstrap.contract.liveness import ENDED, is_silent
from penates.console.output import age, shown
from penates.doctor.findings import Finding, bad, good, unknown
from penates.fleet.fleet_view import SeenSensor

NEARLY = 0.9  # share of the records that may be kept
LAG_S = 3600
FEW = 3  # reconnects that are no sign of anything
OFTEN_S = 120  # mean time between two of them, below which a connection keeps breaking


def reported(settings: SensorSettings, sensor: SeenSensor, logs: str) -> Iterator[Finding]:
    """Check what the broker has retained from a sensor. `logs` is the command that shows its log."""
    now = time.monotonic()
    beat_s = sensor.beat_age_s(now)
    fresh = beat_s is not None and sensor.heartbeat_s > 0 and not is_silent(beat_s, sensor.heartbeat_s)
    yield _state(settings, sensor, beat_s, fresh=fresh, logs=logs)
    breaks = _breaks(sensor) if fresh else ""
    if breaks:
        advice = f"has another client its client id {sensor.topics.client_id}, or its user name? See the broker's log"
        yield bad("link", breaks, f"{advice}, and {logs}")
    if fresh and sensor.host:
        yield _host(sensor.host, beat_s or 0.0, settings, steady=not breaks)
    if fresh:
        yield from _delivery(settings, sensor.heartbeat)


def _breaks(sensor: SeenSensor) -> str:
    """Return what its heartbeat shows of a connection that keeps breaking, or empty text."""
    uptime_s, reconnects = _number(sensor.heartbeat, "uptime_s"), _number(sensor.heartbeat, "reconnects")
    why = sensor.heartbeat.get("why")
    if reconnects <= FEW or uptime_s / reconnects > OFTEN_S:
        return shown(why.encode()) if sensor.state != "fault" and isinstance(why, str) else ""
    text = f"it connected again {reconnects:g} times in {age(uptime_s)}"
    return f"{text}: {shown(why.encode())}" if isinstance(why, str) else text


def on_other_machines(known: Mapping[str, SeenSensor]) -> Iterator[Finding]:
    """Check the sensors that are set up on other machines: which are not well, and how many are."""
    well, now = 0, time.monotonic()
    for name, sensor in known.items():
        host, state = sensor.host or "another machine", sensor.state or "no state published"
        late = sensor.silent(now)
        if state in ("online", "starting", "stopped") and not late:
            well += 1
            continue
        why = f"{state}, but last heartbeat {age(sensor.beat_age_s(now) or 0)} ago" if late else state
        yield bad(
            "elsewhere",
            f"{name}, on {host}: {why}",
            f"on {host}: sudo penates doctor; if it is gone for good: sudo penates prune --gone {name}",
        )
    if known and well:
        yield good("elsewhere", f"sensors on other machines that are well: {well}")


def _number(facts: Mapping[str, object], name: str) -> float:
    found = facts.get(name)
    return found if isinstance(found, int | float) else 0


def _state(settings: SensorSettings, sensor: SeenSensor, beat_s: float | None, *, fresh: bool, logs: str) -> Finding:
    state = sensor.state
    last = f"last heartbeat {age(beat_s)} ago" if beat_s is not None else "no heartbeat"
    if not state:
        return bad("state", "it has never published a state to this broker", f"is it running? {logs}")
    if state in ENDED:
        return bad("state", f"{state}; {last}", f"why? {logs}")
    if state == "fault":
        why = sensor.heartbeat.get("why")
        said = f": {shown(why.encode())}" if isinstance(why, str) else ", of which only its next heartbeat tells more"
        return bad("state", f"fault{said}", logs)
    if not settings.heartbeat_s:
        return unknown("state", f"{state}, when it last published it", "set `heartbeat_s` in house.toml to know")
    if not fresh:
        return bad("state", f"{state}, but {last}", f"does it hang? {logs}")
    return good("state", f"{state}; {last}")


def _host(host: str, beat_s: float, settings: SensorSettings, *, steady: bool) -> Finding:
    """Check that the sensor runs only here: two of one name would disconnect each other again and again."""
    here = socket.gethostname()
    if host == here and not steady:
        return unknown(
            "alone", "it runs here, but its connection keeps breaking, as if somebody else had its client id"
        )
    if host == here:
        return good("alone", "it runs here, and nowhere else as far as is known")
    text = f"it runs on {host}, last heartbeat {age(beat_s)} ago, and this is {here}"
    return bad("alone", text, f"remove {settings.file} here or there, or set sensor = … in one of them")


def _delivery(settings: SensorSettings, heartbeat: Mapping[str, object]) -> Iterator[Finding]:
    """Check what a fresh heartbeat reports about the clock and about undelivered readings."""
    if heartbeat.get("clock") == "unsure":
        yield bad("time", "its clock was not set at its last heartbeat", "timedatectl set-ntp true")
    if (lag_s := _number(heartbeat, "lag_s")) > LAG_S:
        advice = "it is catching up, or its store is slow or cannot be reached: docs/STORES.md"
        text = f"the readings it stores now are {age(lag_s)} old; waiting: {_number(heartbeat, 'waiting'):g}"
        yield bad("recorder", text, advice)
    if missed := _number(heartbeat, "missed"):
        advice = "its log names the sensors; is the broker's queue full (max_queued_messages), or does one flood it?"
        yield bad("recorder", f"messages that never reached it since its start: {missed:g}", advice)
    on_disk, dropped = _number(heartbeat, "on_disk"), _number(heartbeat, "dropped")
    if why := heartbeat.get("storage"):
        yield bad("outbox", f"readings cannot be kept on disk: {shown(str(why).encode())}", "df -h; touch a file there")
    elif on_disk >= NEARLY * settings.history.records:
        advice = "restore the broker, or the recorder; `records` in [history] sets how many are kept"
        yield bad("outbox", f"readings waiting on disk: {on_disk:g}; the oldest will soon be dropped", advice)
    elif dropped:
        advice = "refused messages are in dead_letters.jsonl; a restart sets the count back to 0"
        yield bad("outbox", f"messages dropped since its start: {dropped:g}", advice)
    else:
        yield good("outbox", f"readings waiting on disk: {on_disk:g}; none dropped")
