"""How `penates watch` looks."""

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
ORDER = ("lost", "fault", "starting", "online", "stopped")  # who needs help stands on top
FACTS = {  # heading to field of the heartbeat
    "reads": "reads",
    "faults": "faults",
    "invalid": "invalid",
    "queued": "queued",
    "dropped": "dropped",
    "again": "reconnects",
    "MB": "rss_mb",
}
HEAD = ("group", "sensor", "kind", "state", "values", "age")
FACTS_HEAD = ("sensor", "state", *FACTS, "up", "heard")
STEP_S = 5  # of ages below a minute: each new second would be a new picture
LONGEST_S = 1e10  # 300 years
PICTURE_WIDTH = 104


def table(
    view: FleetView, down: str | None, rows: list[tuple[Text, ...]], *, facts: bool = False, room: int = sys.maxsize
) -> Table:
    """These rows, which are `cells`, as far as there is room; `down` is why there is no broker."""
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
    """What stands in the table: if this has not changed, there is nothing to draw."""
    now = time.monotonic()
    row = _facts if facts else _row
    return [row(sensor, now) for sensor in sorted(view.sensors.values(), key=_place)]


def _row(sensor: SeenSensor, now: float) -> tuple[Text, ...]:
    who = (Text(sensor.topics.group), Text(sensor.topics.sensor), Text(sensor.kind))
    return (*who, _state(sensor, now), _values(sensor), _since(sensor.read_at, now))


def _place(sensor: SeenSensor) -> tuple[int, str]:
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
        text.stylize("dim italic")  # they were so
    text.append(sensor.complaint, style="yellow")
    return text


def _since(moment: float | None, now: float) -> Text:
    if moment is None:
        return Text("-")
    seconds = now - moment
    return Text(age(seconds if seconds >= MINUTE else seconds // STEP_S * STEP_S))


def _facts(sensor: SeenSensor, now: float) -> tuple[Text, ...]:
    """Of the last heartbeat."""
    up = sensor.heartbeat.get("uptime_s")
    up = up if isinstance(up, int | float) and 0 <= up < LONGEST_S else None
    numbers = [Text(shown(str(sensor.heartbeat.get(name, "-")).encode())) for name in FACTS.values()]
    times = (Text("-" if up is None else age(up)), _since(sensor.beat_at, now))
    return (Text(sensor.topics.client_id), _state(sensor, now), *numbers, *times)


def picture(view: FleetView) -> str:
    """The table as SVG, in whatever font its reader has: rich's own would be fetched from afar."""
    console = Console(record=True, width=PICTURE_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(table(view, None, cells(view, facts=False)))
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="penates watch"), flags=re.DOTALL)
