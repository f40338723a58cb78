"""What the line of each output does at each way of ending, in each state: docs/SAFETY.md and its test use it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from markdown_table import table

SEEN = Path(__file__).resolve().parent.parent / "docs" / "safety.json"  # written by tests/pi/safety
MODES = ("units", "supervisor")
TRIED = {  # how locks were tried, and what the table calls that
    "supervisor": "`penates supervisor`",
    "systemd": "systemd",
    "systemd in the sandbox, safe": 'systemd, in the sandbox, `fail = "safe"`',
}
WATCHDOG_S, ABORT_S = 30, 5  # of a unit, and what it may take beyond that


class Level(StrEnum):
    """What a line does."""

    LOW = "low"
    HIGH = "high"
    PULSES = "pulses"


class Fate(StrEnum):
    """What becomes of an output."""

    RESTS = "rests"
    STAYS = "stays"  # as it is, and what has an end ends in time


@dataclass(frozen=True)
class State:
    """A state of an output, and how it comes about.

    Attributes:
        name: what the table calls it.
        level: what its line does meanwhile.
        action: `set` or another action, and `payload` what it is sent; empty for the state of a start. In the payload
            `FOR_S` stands for a number of seconds, and `BEFORE` for a time in a moment.
        ends: whether it ends by itself after `FOR_S` seconds.
        back: whether it is so again as soon as its process runs.
        seen: whether a look now and then tells it from rest; pulses of a servo are too short for that.
    """

    name: str
    level: Level
    payload: str = ""
    action: str = "set"
    ends: bool = False
    seen: bool = True
    back: bool = False


@dataclass(frozen=True)
class Output:
    """A kind of output.

    Attributes:
        title: what its table is called.
        code: its class, below `daemons`.
        pin: the setting that has its line, and `settings` the lines of its file beside that.
        rest: what its line does when nobody says otherwise; its resistor leads there, too.
        states: in which it is tried.
        inputs: what the world does to its other lines: for each setting the level.
    """

    title: str
    code: str
    rest: Level
    states: tuple[State, ...]
    settings: str = ""
    pin: str = "pin"
    inputs: dict[str, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The name of the kind, which is that of its module."""
        return self.code.partition(".")[0]


@dataclass(frozen=True)
class Way:
    """A way in which something ends.

    Attributes:
        key: what the test calls it.
        text: what the table calls it.
        fate: what becomes of each output.
        limit_s: within how many seconds.
        only: the supervisor that has it: `units` or `supervisor`; empty for both.
    """

    key: str
    text: str
    fate: Fate
    limit_s: float
    only: str = ""

    def level(self, output: Output, state: State) -> str:
        """Return what a table says about a state."""
        if self.fate is Fate.RESTS:
            return f"{output.rest}; {state.level} once it runs again" if state.back else output.rest
        if not state.payload:
            return f"stays {state.level}"
        if state.ends:
            return f"{state.level} until its end, then {output.rest}"
        return f"stays {state.level}"


OFF = State("off", Level.LOW)
ON = State("on", Level.HIGH, "on")
ON_FOR = State("on for `for_s`", Level.HIGH, '{"state":"on","for_s":FOR_S}', ends=True)
OPEN_FOR = '{"state":"open","for_s":FOR_S,"before":"BEFORE"}'
HEAT_FOR = '{"state":"on","for_s":FOR_S,"before":"BEFORE"}'
PRESS = '{"state":"press","before":"BEFORE"}'
OPEN = '{"state":"open","before":"BEFORE"}'
UNLOCK = '{"state":"unlocked","for_s":FOR_S,"before":"BEFORE"}'
TURNS = tuple(f"{angle}" for angle in (20, 160) * 40)

OUTPUTS = (
    Output("`output`, `lamp`", "output.SwitchedOutput", Level.LOW, (OFF, ON, ON_FOR)),
    Output(
        "`output` with `safe = true`",
        "output.SwitchedOutput",
        Level.HIGH,
        (State("on", Level.HIGH), State("off", Level.LOW, "off")),
        "safe = true",
    ),
    Output(
        "`dimmer`",
        "dimmer.Dimmer",
        Level.LOW,
        (ON, State("at 40 %", Level.PULSES, "40")),
        "frequency_hz = 2\nfade_s = 0",
    ),
    Output(
        "`fan`",
        "fan.Fan",
        Level.HIGH,
        (State("at full speed", Level.HIGH), State("off", Level.LOW, "0"), State("at 40 %", Level.PULSES, "40")),
        "frequency_hz = 2",
    ),
    Output(
        "`buzzer`",
        "buzzer.Buzzer",
        Level.LOW,
        (State("sounding", Level.HIGH, "on", ends=True),),
        "longest_s = FOR_S",
    ),
    Output(
        "`servo`",
        "servo.Servo",
        Level.LOW,
        (State("moving", Level.PULSES, "\n".join(TURNS), seen=False),),
        "hold_s = 1.0",
    ),
    Output(
        '`lock` with `fail = "secure"`: high is unlocked',
        "lock.DoorLock",
        Level.LOW,
        (State("locked", Level.LOW), State("unlocked for `for_s`", Level.HIGH, UNLOCK, ends=True)),
        'fail = "secure"\nmost_s = 3600',
        inputs={"bolt": 0},
    ),
    Output(
        '`lock` with `fail = "safe"`: low is unlocked',
        "lock.DoorLock",
        Level.LOW,
        (State("locked", Level.HIGH, back=True),),
        'fail = "safe"',
        inputs={"bolt": 0},
    ),
    Output("`socket`", "socket.SocketTransmitter", Level.LOW, (State("silent", Level.LOW),)),
    Output(
        "`valve`",
        "valve.Valve",
        Level.LOW,
        (State("closed", Level.LOW), State("open for `for_s`", Level.HIGH, OPEN_FOR, ends=True)),
        "longest_s = 3600\nrest_s = 1",
    ),
    Output(
        "`heater`",
        "heater.Heater",
        Level.LOW,
        (State("off", Level.LOW), State("on for `for_s`", Level.HIGH, HEAT_FOR, ends=True)),
        "longest_s = 3600\nrest_s = 1",
    ),
    Output(
        "`relay`",
        "relay.Relay",
        Level.LOW,
        (State("pressed for `pulse_s`", Level.HIGH, PRESS, ends=True),),
        "pulse_s = FOR_S",
    ),
    Output(
        "`cover`: the relay that opens",
        "cover.Cover",
        Level.LOW,
        (State("at rest", Level.LOW), State("opening for `longest_s`", Level.HIGH, OPEN, ends=True)),
        'type = "shutter"\nlongest_s = FOR_S',
        pin="opens",
        inputs={"closes": 0},
    ),
)

WAYS = (
    Way("stop", "stopped: `systemctl stop`, `penates stop`, SIGTERM", Fate.RESTS, 5),
    Way("bug", "a bug: an exception in the device", Fate.RESTS, 5),
    Way("exit", "the process ends without a word (`os._exit`)", Fate.RESTS, 5),
    Way("kill", "SIGKILL", Fate.RESTS, 5),
    Way("memory", "out of memory: killed by the kernel", Fate.RESTS, 5),
    Way("freeze", "suspended: SIGSTOP", Fate.RESTS, WATCHDOG_S + ABORT_S),
    Way("hang", "the process hangs in its own code", Fate.RESTS, WATCHDOG_S + ABORT_S),
    Way("parent", "the supervisor is killed: SIGKILL", Fate.RESTS, 10, "supervisor"),
    Way(
        "parent-freeze", "the supervisor and all sensors are suspended", Fate.RESTS, WATCHDOG_S + ABORT_S, "supervisor"
    ),
    Way("all", "the supervisor and all sensors are killed at once", Fate.RESTS, 5, "supervisor"),
    Way("faulty", "started again with a faulty file", Fate.RESTS, 10),
    Way("changed", "reload, after the device's settings have changed", Fate.RESTS, 10),
    Way("reload", "reload, and nothing has changed", Fate.STAYS, 0),
    Way("refused", "reload of a faulty file", Fate.STAYS, 0),
    Way("broker", "the broker is gone", Fate.STAYS, 0),
    Way("broker-back", "the broker is back", Fate.STAYS, 0),
    Way("full", "the disk is full", Fate.STAYS, 0),
    Way("cut", "the power is cut", Fate.RESTS, 0),
    Way("reboot", "the machine is restarted", Fate.RESTS, 0),
    Way("watchdog", "the kernel or systemd hangs, with `install --watchdog`", Fate.RESTS, 0),
)


def ways() -> str:
    """Return the table of the ways: their names, and what was measured with each."""
    head = ("way", "what ends", "outputs", "at most, s", "units: right, longest s", "supervisor: right, longest s")
    found = measured()
    rows = [(*_way(way), *(_seen(_sum(found.get(mode, {}).get(way.key))) for mode in MODES)) for way in WAYS]
    return table(head, rows) + "\n"


def _way(way: Way) -> tuple[str, ...]:
    limit = f"{way.limit_s:g}" if way.limit_s else ""
    return f"*{way.key}*", way.text, "rest" if way.fate is Fate.RESTS else "stay", limit


def levels(output: Output) -> str:
    """Return the table of a kind: a level for each way and each state. Ways with the same levels share a row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for way in WAYS:
        rows.setdefault(tuple(way.level(output, state) for state in output.states), []).append(f"*{way.key}*")
    head = ("way", *(f"{state.name}: {state.level}" for state in output.states))
    return table(head, ((", ".join(keys), *found) for found, keys in rows.items()))


def kinds(outputs: Iterable[Output] = OUTPUTS) -> str:
    """Return the tables of all kinds, in Markdown."""
    return "\n".join(f"### {one.title}\n\n{levels(one)}\n" for one in outputs)


def measured() -> dict[str, Any]:
    """Return what the tests have measured: right, of how many, and the longest time in seconds.

    By supervisor, way and kind; for the trials of locks by supervisor and fault.
    """
    found: dict[str, Any] = json.loads(SEEN.read_text()) if SEEN.exists() else {}
    return found


def _sum(by_kind: dict[str, list[float]] | None) -> list[float] | None:
    """Return what was measured of all kinds together."""
    if not by_kind:
        return None
    right, of, longest = zip(*by_kind.values(), strict=True)
    return [sum(right), sum(of), max(longest)]


def trials() -> str:
    """Return the table of the trials of locks."""
    found = measured()
    by = [found.get(f"lock, {one}", {}) for one in TRIED]
    rows = [(fault, *(_seen(one.get(fault)) for one in by)) for fault in {**by[0], **by[1]}]
    return table(("fault", *(f"{head}: right, longest s" for head in TRIED.values())), rows) + "\n"


def _seen(cell: list[float] | None) -> str:
    """Return how many cells were right of how many, and the longest time."""
    if cell is None:
        return "-"
    right, of, longest = cell
    return f"{right:g} of {of:g}, {longest:.1f}" if longest else f"{right:g} of {of:g}"
