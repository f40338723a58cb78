"""What the demo shows: the house as its broker's clients see it, and beside it what was read and what is recorded."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from penates.fleet.fleet_view import FleetView
from penates.fleet.watch_table import cells

HEAD = ("sensor", "state", "values", "made", "recorded")
UP = ("the broker is up", "green")
DOWN = ("the broker is dead", "bold red")
FIXED = 9  # lines besides the sensors and the captions; one is the cursor's
LEAST_CAPTIONS = 3
SIGNS = (("━", "green"), ("╌", "bold yellow"))  # of what is recorded, and of what its sensors still keep
END = "q ends it; commands to try are above"


class Caption(NamedTuple):
    """What has happened, and in which second."""

    second: float
    words: str
    strong: bool = False

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.second:3.0f} s  {self.words}"


@dataclass
class Scene:
    """All that is shown at a moment."""

    view: FleetView
    made: Counter[str] = field(default_factory=Counter)  # by sensor
    recorded: Counter[str] = field(default_factory=Counter)
    captions: list[Caption] = field(default_factory=list)
    second: float = 0.0
    dead: bool = False  # the broker
    apart: bool = False  # as long as what is seen of the sensors is what the broker said before


def screen(scene: Scene, size: tuple[int, int]) -> RenderableType:
    """Return it for a terminal of so many columns and lines."""
    width, height = size
    rows = cells(scene.view, facts=False)
    room = height - FIXED - len(rows)
    count = max(LEAST_CAPTIONS, room)
    captions = [_line(str(one), "bold" if one.strong else "") for one in scene.captions[-count:]]
    captions += [Text("")] * (count - len(captions))
    fitting = rows[: max(1, height - FIXED - count)]
    return Group(_title(scene), _table(scene, fitting), *_bar(scene, width), *captions, Text(END, "dim"))


def _line(words: str, style: str) -> Text:
    return Text(words, style, no_wrap=True, overflow="ellipsis")


def _title(scene: Scene) -> Text:
    title = Text.assemble(("penates demo", "bold"), f"   {scene.second:.0f} s   ", DOWN if scene.dead else UP)
    title.no_wrap = True
    return title


def _table(scene: Scene, rows: list[tuple[Text, ...]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), pad_edge=False)
    for name in HEAD:
        wide = name == "values"
        table.add_column(
            name,
            justify="right" if name in HEAD[-2:] else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if wide else None,
        )
    for group, sensor, _, state, values, _ in rows:
        name = f"{group}/{sensor}"
        made, recorded = (str(counts[name]) if scene.made[name] else "" for counts in (scene.made, scene.recorded))
        behind = scene.made[name] > scene.recorded[name]
        style = "dim" if scene.apart else ""
        numbers = (Text(made), Text(recorded, "bold yellow" if behind else ""))
        word = Text(state.plain.partition(" ")[0], "" if scene.apart else state.style)
        table.add_row(*(Text.assemble(cell, style=style) for cell in (sensor, word, values)), *numbers)
    return table


def _bar(scene: Scene, width: int) -> tuple[Text, Text]:
    """Return the sums, and below them a line as long as the screen is wide: what is recorded of what was made."""
    made, kept = scene.made.total(), (scene.made - scene.recorded).total()
    sums = Text.assemble(f"readings made {made}   ", (f"recorded {made - kept}", "green"))
    sums.append(f"   kept by the sensors {kept}" if kept else "", "bold yellow")
    sums.no_wrap = True
    long = round(width * kept / made) if made else 0
    parts = [(sign * length, style) for (sign, style), length in zip(SIGNS, (width - long, long), strict=True)]
    return sums, Text.assemble(*parts, no_wrap=True, end="\n")
