"""What the line of each kind of output does at each way of ending, in each state: docs/SAFETY.md and its test read it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from markdown_table import table

SEEN = Path(__file__).resolve().parent.parent / "docs" / "safety.json"  # written by tests/pi/safety
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


def ways(output: Output) -> str:
    """Return the table of a kind: way of ending × state → level."""
    rows = [(way.text, *(way.level(output, state) for state in output.states)) for way in WAYS]
    return table(("way of ending", *(state.name for state in output.states)), rows)


def kinds(outputs: Iterable[Output] = OUTPUTS) -> str:
    """Return the tables of all kinds, in Markdown."""
    return "\n".join(f"### {one.title}\n\n{ways(one)}\n" for one in outputs)


def seen() -> str:
    """Return the table of what was measured: for each way the longest time until a line was as it should be."""
    found = json.loads(SEEN.read_text()) if SEEN.exists() else {}
    return table(
        ("way of ending", "at most, s", "units: cells, longest s", "supervisor: cells, longest s"), _times(found)
    )


def _times(found: dict[str, dict[str, list[float]]]) -> Iterator[tuple[str, ...]]:
    for way in WAYS:
        limit = f"{way.limit_s:g}" if way.fate is Fate.RESTS else "-"
        yield way.text, limit, *(_seen(found.get(mode, {}).get(way.key)) for mode in ("units", "supervisor"))


def _seen(cell: list[float] | None) -> str:
    """Return how many cells were right of how many, and the longest time."""
    if cell is None:
        return "-"
    right, of, longest = cell
    return f"{right:g} of {of:g}, {longest:.1f}" if longest else f"{right:g} of {of:g}"
