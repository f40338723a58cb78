"""The table of `penates watch`."""

import bisect
import io
import re
import sys
import time
from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from penates.console.output import MINUTE, age, counted, shown
from penates.fleet.drawn_displays import with_displays
from penates.fleet.fleet_view import FleetView, SeenSensor

COLOURS = {
    "online": "green",
    "fault": "bold yellow",
    "starting": "cyan",
    "stopped": "dim",
    "lost": "bold red",
    "unreachable": "red",
}
ORDER = ("lost", "unreachable", "fault", "starting", "online", "stopped")  # sensors that need attention come first
FACTS = {  # column heading: field of the heartbeat
    "reads": "reads",
    "faults": "faults",
    "invalid": "invalid",
    "queued": "queued",
    "dropped": "dropped",
    "reconnects": "reconnects",
    "MB": "rss_mb",
}
HEAD = ("group", "sensor", "kind", "state", "values", "age")
FACTS_HEAD = ("sensor", "state", *FACTS, "up", "age")
STEP_S = 5  # ages below a minute are rounded to this, to redraw less often
LONGEST_S = 1e10  # longest plausible uptime, about 300 years
PICTURE_WIDTH = 104
NARROW = 72  # columns below which a table has no room for its values


def table(
    view: FleetView,
    down: str | None,
    rows: list[tuple[Text, ...]],
    *,
    facts: bool = False,
    size: tuple[int, int] = (PICTURE_WIDTH, sys.maxsize),
) -> Table:
    """Return a table of `rows`, made by `cells`. `down` is why there is no broker.

    `size` is its width in columns, and the most rows. Where it is narrow, each sensor is a paragraph.
    """
    width, room = size
    drawing = _paragraphs() if width < NARROW else _columns(facts=facts)
    drawing.title = _title(view, down)
    for row in rows[: max(1, room)]:
        drawing.add_row(*([_paragraph(row, facts=facts)] if width < NARROW else row), style="dim" if down else "")
    if len(rows) > room:
        drawing.caption = f"and {len(rows) - max(1, room)} more: name a GROUP or GROUP/SENSOR to see them"
    return drawing


def _columns(*, facts: bool) -> Table:
    drawing = Table(expand=not facts)
    for name in FACTS_HEAD if facts else HEAD:
        right = name in FACTS_HEAD[2:] or name == "age"
        drawing.add_column(name, justify="right" if right else "left", no_wrap=name in ("sensor", "state"))
    return drawing


def _paragraphs() -> Table:
    drawing = Table(box=None, show_header=False, padding=0, expand=True)
    drawing.add_column(overflow="fold")
    return drawing


def _paragraph(row: tuple[Text, ...], *, facts: bool) -> Text:
    """Return a row of either table as text, its values or numbers on a line of their own."""
    if not facts:
        group, sensor, _, state, values, since = row
        return Text.assemble(group, "/", sensor, " ", state, " ", (str(since), "dim"), "\n  ", values)
    name, state, *numbers = row
    named = zip(FACTS_HEAD[2:], numbers, strict=True)
    return Text.assemble(name, " ", state, "\n  ", " ".join(f"{what} {number}" for what, number in named))


def fitting(console: Console, view: FleetView, down: str | None, rows: list[tuple[Text, ...]], *, facts: bool) -> Table:
    """Return the table with as many rows as the console has room for; a row may take several lines."""

    def drawing(count: int) -> Table:
        return table(view, down, rows, facts=facts, size=(console.size.width, count))

    def fits(count: int) -> bool:
        return len(console.render_lines(drawing(count), pad=False)) < console.size.height  # a line is the cursor's

    if fits(len(rows)):
        return drawing(len(rows))
    too_many = bisect.bisect_left(range(1, len(rows)), True, key=lambda count: not fits(count))
    return drawing(max(1, too_many))


def _title(view: FleetView, down: str | None) -> Text:
    if down:
        return Text(f"no broker: {down}", style="bold red")
    counts = Counter(sensor.state or "?" for sensor in view.sensors.values())
    title = Text(f"{counted(len(view.sensors), 'sensor')}")
    for state, count in counts.items():
        title.append(f" · {count} {state}", style=COLOURS.get(state, ""))
    return title.append("      h heartbeats · q quit", style="dim")


def cells(view: FleetView, *, facts: bool) -> list[tuple[Text, ...]]:
    """Return the contents of the table, one row per sensor. If they have not changed, nothing needs drawing."""
    now = time.monotonic()
    row = _facts if facts else _row
    return [row(sensor, now) for sensor in sorted(view.sensors.values(), key=_order)]


def _row(sensor: SeenSensor, now: float) -> tuple[Text, ...]:
    who = (Text(sensor.topics.group), Text(sensor.topics.sensor), Text(sensor.kind))
    return (*who, _state(sensor, now), _values(sensor), _since(sensor.read_at, now))


def _order(sensor: SeenSensor) -> tuple[int, str]:
    known = sensor.state in ORDER
    return ORDER.index(sensor.state) if known else 0, sensor.topics.client_id


def _state(sensor: SeenSensor, now: float) -> Text:
    text = Text(sensor.state or "?", style=COLOURS.get(sensor.state, ""))
    if why := sensor.stale(now):
        text.append(f" stale: {why}", style="bold red")
    return text


def _values(sensor: SeenSensor) -> Text:
    text = Text()
    for name, payload in sensor.values.items():
        value = f"{shown(payload)} {sensor.unit(name)}".strip()
        text.append(f"{name} ", style="dim").append(f"{value}  ")
    if sensor.state != "online":
        text.stylize("dim italic")  # they may be out of date
    text.append(sensor.problems, style="yellow")
    return text


def _since(at: float | None, now: float) -> Text:
    if at is None:
        return Text("-")
    seconds = now - at
    return Text(age(seconds if seconds >= MINUTE else seconds // STEP_S * STEP_S))


def _facts(sensor: SeenSensor, now: float) -> tuple[Text, ...]:
    """Return the row of the heartbeat table."""
    up = sensor.heartbeat.get("uptime_s")
    up = up if isinstance(up, int | float) and 0 <= up < LONGEST_S else None
    numbers = [Text(shown(str(sensor.heartbeat.get(name, "-")).encode())) for name in FACTS.values()]
    times = (Text("-" if up is None else age(up)), _since(sensor.beat_at, now))
    return (Text(sensor.topics.client_id), _state(sensor, now), *numbers, *times)


def picture(view: FleetView) -> str:
    """Return the table as SVG, with the displays beside it, in the viewer's own font: rich's would be downloaded."""
    console = Console(record=True, width=PICTURE_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(table(view, None, cells(view, facts=False)))
    svg = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="penates watch"), flags=re.DOTALL)
    return with_displays(svg, view)
