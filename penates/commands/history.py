"""Draw or print what a sensor has measured.

  penates history cellar
  penates history home/cellar temperature --since 7d
  penates history cellar --since 2026-11-01 --csv >november.csv
  penates history cellar --png cellar.png          # needs matplotlib

It reads the store of this house's recorder, whichever it is, even while the recorder runs. Where there is too much to
see, or the readings are no longer kept, it shows averages: of five minutes, or of a day for spans above 120 days. A CSV
of readings has time, measure and value, which `penates import` reads; one of averages has count, min, mean and max.
"""

import argparse
import csv
import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from bootstrap.config.toml_file import suggestion
from bootstrap.errors import Exit, Fatal, to_install
from bootstrap.history.points import Field
from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, HistoryReader
from penates.console.arguments import output_file
from penates.console.output import colours, counted, shown, to_a_reader
from penates.history.recorder_lookup import Recorded, found, recorder_arguments
from penates.history.series import READINGS, Drawn, KnownMeasure, describe, drawn, step
from penates.history.times import for_people, printed, since_us

DAY = "24h"
EACH = {"reading": READINGS, "5min": FIVE_MINUTES_S, "day": DAY_S}
LOWEST, HIGHEST = 8, 20  # limits of a chart's height, in lines
FRAME = 3  # lines above and below a chart
SHORTEST_S = 5.0  # that is drawn


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    recorder_arguments(parser)
    parser.add_argument("sensor", metavar="SENSOR", help="such as cellar, or home/cellar")
    parser.add_argument("measure", metavar="MEASURE", nargs="?", help="such as temperature (default: all)")
    since = (
        "90min, 24h, 7d, 52w, or a local time such as 2026-11-01 or 2026-11-01T12:00 (default: 24h, as far as recorded)"
    )
    parser.add_argument("--since", type=since_us, metavar="SPAN", help=since)
    parser.add_argument(
        "--each", choices=[*EACH], help="show one value for each (default: as finely as is stored and can be seen)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print comma-separated values")
    form.add_argument("--json", action="store_true", help="print one JSON object per line")
    form.add_argument("--png", type=output_file, metavar="FILE", help="save a chart")


def main(given: argparse.Namespace) -> int:
    """Find the sensor in the history, and draw or print its values."""
    recorded = Recorded.by(given)
    whole = given.since is not None
    given.since = given.since if whole else since_us(DAY)
    try:
        with closing(recorded.open_reader()) as reader, to_a_reader():
            sensor = found(reader, given.sensor)
            if given.csv or given.json:
                rows = _table(reader, sensor, given)
                _print_json(rows) if given.json else _print_csv(rows)
            else:
                _show(reader, sensor, given, recorded.measures(sensor), whole=whole)
    except OSError as error:
        raise Fatal(Exit.ABSENT, str(error)) from None
    return Exit.STOPPED


def _show(
    reader: HistoryReader,
    sensor: str,
    given: argparse.Namespace,
    measures: Mapping[str, KnownMeasure],
    *,
    whole: bool,
) -> None:
    now = time.time()
    each = EACH.get(given.each) if given.each else None
    drawing = drawn(reader, sensor, given.since, round(now * MICRO), each)
    if given.measure:
        _only(drawing, reader, given)
    if not drawing.measures:
        raise Fatal(Exit.ABSENT, _later(drawing) or _nothing(reader, sensor))
    describe(drawing.series.values(), measures)
    span = (given.since / MICRO, max(now, drawing.ends[1])) if whole else filled(drawing.ends, now)
    if given.png:
        _save(drawing, long_enough(span), given.png)
    else:
        _draw(drawing, long_enough(span))
    if drawing.later:
        print(f"penates history: {_later(drawing)}", file=sys.stderr)


def filled(ends: tuple[float, float], now: float) -> tuple[float, float]:
    """Return the span to draw: from the first value until now, or until the last if over half would be empty."""
    first, last = ends
    return first, last if 0 < last - first < now - last else max(last, now)


def long_enough(span: tuple[float, float]) -> tuple[float, float]:
    """Return a span that can be drawn: of a value that was just read, or that has a time to come, there is no other."""
    return span[0], max(span[1], span[0] + SHORTEST_S)


def _later(drawing: Drawn) -> str:
    """Return what is not drawn because its time is still to come; an empty string if there is no such thing."""
    if not drawing.later:
        return ""
    values, last = f"{counted(drawing.later, 'reading')}", for_people(round(drawing.latest_s * MICRO))
    return f"{values} of {drawing.sensor}, the last at {last}, cannot be true yet and {_are(drawing.later)} not drawn"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _only(drawing: Drawn, reader: HistoryReader, given: argparse.Namespace) -> None:
    """Reduce the drawing to the given measure. Roll-ups contain no text, so texts are read from the readings."""
    if given.measure not in drawing.measures:
        readings = Drawn(drawing.sensor, READINGS, until_s=drawing.until_s)
        readings.add_readings(reader, given.since, 2**62)
        drawing.words |= readings.words
        drawing.heard |= readings.heard
    measures = drawing.measures
    if measures and given.measure not in measures:
        text = f"{drawing.sensor} has no {given.measure!r} since then; {suggestion(given.measure, measures)}"
        raise Fatal(Exit.ABSENT, text)
    drawing.series = {name: one for name, one in drawing.series.items() if name == given.measure}
    drawing.words = {name: one for name, one in drawing.words.items() if name == given.measure}


def _nothing(reader: HistoryReader, sensor: str) -> str:
    days = [one.start_s for one in reader.averages(sensor, -(2**62), DAY_S)]
    last = f"; the newest is from {printed(max(days) * MICRO).partition('T')[0]}" if days else ""
    return f"nothing of {sensor} is recorded since then{last}"


def _draw(drawing: Drawn, span: tuple[float, float]) -> None:
    from penates.history import terminal_chart  # noqa: PLC0415 - imports plotext, which only a drawing needs

    width, lines = shutil.get_terminal_size()
    height = lines // max(1, len(drawing.series)) - FRAME
    for part in terminal_chart.text(drawing, span, (width, max(LOWEST, min(HIGHEST, height))), colour=colours()):
        print(part)


def _save(drawing: Drawn, span: tuple[float, float], file: Path) -> None:
    if not drawing.series:
        raise Fatal(Exit.ABSENT, f"{', '.join(drawing.words)}: text cannot be drawn; leave out --png")
    try:
        from penates.history import png_chart  # noqa: PLC0415 - matplotlib is large, and may be missing
    except ImportError as error:
        raise Fatal(Exit.ABSENT, f"--png needs matplotlib ({error}); {to_install('matplotlib')}") from None
    png_chart.save(drawing, span, file)
    print(file)


def _table(reader: HistoryReader, sensor: str, given: argparse.Namespace) -> Iterator[dict[str, Field]]:
    """Yield a row for each value, or for each average."""
    now_us = round(time.time() * MICRO)
    step_s = EACH[given.each] if given.each else step(reader, sensor, given.since, now_us)
    rows = (
        _readings(reader, sensor, given.since) if step_s == READINGS else _averages(reader, sensor, given.since, step_s)
    )
    empty = True
    for row in rows:
        if given.measure in (None, row["measure"]):
            empty = False
            yield row
    if empty:
        raise Fatal(Exit.ABSENT, _nothing(reader, sensor))


def _readings(reader: HistoryReader, sensor: str, since_us: int) -> Iterator[dict[str, Field]]:
    for row in reader.rows(sensor, since_us):
        for name, value in row.fields.items():
            yield {"time": printed(row.time_us), "measure": name, "value": value}


def _averages(reader: HistoryReader, sensor: str, since_us: int, step_s: int) -> Iterator[dict[str, Field]]:
    for one in reader.averages(sensor, since_us, step_s):
        numbers = {"min": one.summary.low, "mean": one.summary.mean, "max": one.summary.high}
        yield {
            "time": printed(one.start_s * MICRO),
            "measure": one.measure,
            "count": one.summary.count,
            **numbers,
        }


def _print_json(rows: Iterator[dict[str, Field]]) -> None:
    for row in rows:
        print(json.dumps(row))


def _print_csv(rows: Iterator[dict[str, Field]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow(_safe(value) for value in row.values())


def _safe(value: Field) -> Field:
    """Return a value unchanged, except that no text can control a terminal."""
    return shown(value.encode()) if isinstance(value, str) and sys.stdout.isatty() else value
