"""The table of `penates watch`."""

import io
import re
import sys
import time
from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from penates.console.output import MINUTE, age, shown
from penates.fleet.fleet_view import FleetView, SeenSensor

COLOURS = {"online": "green", "fault": "bold yellow", "starting": "cyan", "stopped": "dim", "lost": "bold red"}
ORDER = ("lost", "fault", "starting", "online", "stopped")  # sensors that need attention come first
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


def table(
    view: FleetView, down: str | None, rows: list[tuple[Text, ...]], *, facts: bool = False, room: int = sys.maxsize
) -> Table:
    """Return a table of `rows`, made by `cells`, at most `room` of them. `down` is why there is no broker."""
    drawing = Table(title=_title(view, down), expand=not facts)
    for name in FACTS_HEAD if facts else HEAD:
        right = name in FACTS_HEAD[2:] or name == "age"
        drawing.add_column(name, justify="right" if right else "left", no_wrap=name in ("sensor", "state"))
    for row in rows[: max(1, room)]:
        drawing.add_row(*row, style="dim" if down else "")
    if len(rows) > room:
        drawing.caption = f"and {len(rows) - max(1, room)} more: name a GROUP or GROUP/SENSOR to see them"
    return drawing


def _title(view: FleetView, down: str | None) -> Text:
    if down:
        return Text(f"no broker: {down}", style="bold red")
    counts = Counter(sensor.state or "?" for sensor in view.sensors.values())
    title = Text(f"{len(view.sensors)} sensor{'s' * (len(view.sensors) != 1)}")
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
    """Return the table as SVG in the viewer's own font, because rich's would be downloaded."""
    console = Console(record=True, width=PICTURE_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(table(view, None, cells(view, facts=False)))
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="penates watch"), flags=re.DOTALL)
