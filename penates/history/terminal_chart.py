"""A history as charts made of characters, for a terminal."""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

import plotext

from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S
from penates.console.output import HOUR, MINUTE, age, counted, shown
from penates.history.series import Drawn, Series, gap_s
from penates.history.times import local

STEPS = [5, 10, 15, 30] + [n * MINUTE for n in (1, 2, 5, 10, 15, 30)] + [n * HOUR for n in (1, 2, 3, 6, 12)]
STEPS += [n * DAY_S for n in (1, 2, 7, 14, 30, 60, 90, 180, 365, 3650, 36_500, 365_000)]
DST_S = 2 * HOUR  # by which a day may be longer or shorter
LABEL = 18  # columns for one time and the space around it
LINES = 3  # lines of a chart for one number at its side
LEAST = 1e-4  # the smallest change that is shown, relative to the values
WORDS = 30  # changes of a text that are listed
LINE, EDGE = "cyan", "gray"
MARK = "•"  # an event
STEP_TITLES = {FIVE_MINUTES_S: ", mean of each 5 minutes", DAY_S: ", mean of each day (UTC)"}


def ticks(since: float, until: float, most: int) -> dict[float, str]:
    """Return round times of day between these moments, with their labels."""
    step = next((step for step in STEPS if (until - since) / step <= most), STEPS[-1])
    midnight = local(since).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    name = "%H:%M:%S" if step < MINUTE else "%H:%M" if step < DAY_S else "%Y-%m-%d"
    found = {}
    early = int((since - midnight.timestamp() - DST_S) // step)
    for number in range(max(0, early), early + int((until - since + 2 * DST_S) / step) + 2):
        moment = (midnight + timedelta(seconds=number * step)).timestamp()  # by local time, with its jumps
        if since <= moment <= until:
            found[moment] = local(moment).strftime(name)
    return found


def levels(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between these, each once."""
    least = (high - low) / most
    decade = 10.0 ** math.floor(math.log10(least))
    step = next(decade * n for n in (1, 2, 5, 10) if decade * n >= least * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def chart(series: Series, title: str, span: tuple[float, float], size: tuple[int, int], *, colour: bool) -> str:
    """Return the chart of one measure; `size` is its columns and lines."""
    if not math.isfinite(max(series.highs) - min(series.lows)):
        return f"{title}: its values are too far apart to be drawn"
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plotsize(*size)
    plotext.title(title)
    for paint in (plotext.canvas_color, plotext.axes_color, plotext.ticks_color):
        paint("default")  # as the terminal has it
    if series.event:
        plotext.scatter(series.times, series.highs, marker=MARK, color=LINE)
    elif series.truth:
        for piece in series.pieces():
            plotext.plot(*series.stairs(piece), marker="braille", color=LINE)
    if series.truth:
        plotext.yticks([0, 1], ["false", "true"])
        plotext.ylim(0, 1)
    elif series.event:
        _scale(series, size[1])
    else:
        _lines(series, edges=colour and series.lows != series.highs)
        _scale(series, size[1])
    plotext.xlim(*span)
    names = ticks(*span, max(1, size[0] // LABEL))
    plotext.xticks([*names], [*names.values()])
    text: str = plotext.build()
    return text if colour else plain(text)


def plain(text: str) -> str:
    """Return a chart, or a part of one, without its colours."""
    return str(plotext.uncolorize(text))


def _lines(series: Series, *, edges: bool) -> None:
    for piece in series.pieces():
        times = series.times[piece]
        if edges:
            plotext.plot(times, series.lows[piece], marker="braille", color=EDGE)
            plotext.plot(times, series.highs[piece], marker="braille", color=EDGE)
        plotext.plot(times, series.values[piece], marker="braille", color=LINE)


def _scale(series: Series, height: int) -> None:
    low, high = min(series.lows), max(series.highs)
    room = max(abs(low), abs(high), 1.0) * LEAST
    if high - low < room:
        low, high = low - room, high + room
    names = levels(low, high, max(1, height // LINES))
    plotext.ylim(low, high)
    plotext.yticks(names, [f"{name:.6g}" for name in names])


def below(series: Series) -> str:
    """Return a line that summarises a chart, to print below it."""
    value = series.highs[-1] if series.counter else series.values[-1]
    shown_value = f"{value:.12g}" if series.counter else f"{value:g}"  # a meter's figure is long
    final = {0.0: "false", 1.0: "true"}.get(value, shown_value) if series.truth else shown_value
    last = f"last {final} at {local(series.times[-1]):%Y-%m-%d %H:%M %Z}"
    whole = series.whole
    what = "event" if series.event else "reading"
    count = f"{counted(whole.count, what)}"
    if series.truth:
        return f"{count}, {_share(series)}{last}"
    if series.counter:
        return f"{count}, grew by {series.growth:g}, {last}"
    return f"{count}, lowest {whole.low:g}, mean {whole.mean:.4g}, highest {whole.high:g}, {last}"


def _share(series: Series) -> str:
    """Return for which part of the time a state was true."""
    true_s, known_s = (0.0, 0.0) if series.event else series.true_s()
    return f"true for {true_s / known_s:.0%} of {age(known_s)}, " if known_s else ""


def listed(measure: str, changes: list[tuple[float, str]], heard: Sequence[float] = ()) -> Iterator[str]:
    """Yield the texts of a measure, with the time of each change, and of each gap among those that were `heard`."""
    limit = gap_s(heard, None, lasts=True)
    gaps = [(before, f"nothing until {clock(later)}") for before, later in pairwise(heard) if later - before > limit]
    lines = sorted([*((moment, shown(word.encode())) for moment, word in changes), *gaps], key=lambda line: line[0])
    yield f"{shown(measure.encode())}:"
    if (earlier := len(lines) - WORDS) > 0:
        yield f"  {counted(earlier, 'earlier change')}"
    for moment, word in lines[-WORDS:]:
        yield f"  {clock(moment)}  {word}"


def clock(moment: float) -> str:
    """Return a moment to the second, by this machine's zone."""
    return f"{local(moment):%Y-%m-%d %H:%M:%S}"


def text(drawn: Drawn, span: tuple[float, float], size: tuple[int, int], *, colour: bool) -> Iterator[str]:
    """Yield the charts, one below the other, then the texts; `size` is of one chart."""
    for name, series in sorted(drawn.series.items()):
        unit = f" ({series.unit})" if series.unit else ""
        title = f"{shown(drawn.sensor.encode())} {shown(name.encode())}{unit}{STEP_TITLES.get(drawn.step_s, '')}"
        yield chart(series, title, span, size, colour=colour)
        yield f"  {below(series)}\n"
    for name, changes in sorted(drawn.words.items()):
        yield from listed(name, changes, drawn.heard.get(name, ()))
