"""A history as a PNG chart, drawn with matplotlib."""

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from penates.files.saved_picture import save_picture
from penates.history.series import Drawn, Series
from penates.history.terminal_chart import STEP_TITLES
from penates.history.times import local

WIDTH, HEIGHT = 10, 3  # of one measure's chart, in inches
DPI = 100


def save(drawn: Drawn, span: tuple[float, float], file: Path) -> None:
    """Save one chart for each measure, one below the other.

    Raises:
        Fatal: the file cannot be written.
    """
    figure = Figure(figsize=(WIDTH, HEIGHT * len(drawn.series)), dpi=DPI, layout="constrained")
    charts = figure.subplots(len(drawn.series), sharex=True, squeeze=False)
    for axes, (_, series) in zip(charts[:, 0], sorted(drawn.series.items()), strict=True):
        _draw(axes, series)
        axes.set_title(f"{drawn.sensor} {series.measure}{STEP_TITLES.get(drawn.step_s, '')}", parse_math=False)
        axes.set_ylabel(series.unit)
        axes.grid(alpha=0.3)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    charts[-1, 0].set_xlim(*_wall(span))
    charts[-1, 0].xaxis.set_major_locator(locator)
    charts[-1, 0].xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    save_picture(file, picture.getvalue())


def _draw(axes: Axes, series: Series) -> None:
    if series.truth:
        axes.set_yticks([0, 1], ["false", "true"])
    if series.event:
        axes.plot(_wall(series.times), series.highs, color="C0", marker="|", linestyle="none")
    elif series.truth:
        for piece in series.pieces():
            mark = "." if len(series.times[piece]) == 1 else ""
            axes.step(_wall(series.times[piece]), series.values[piece], color="C0", marker=mark, where="post")
    else:
        _lines(axes, series)


def _lines(axes: Axes, series: Series) -> None:
    for piece in series.pieces():
        times = _wall(series.times[piece])
        mark = "." if len(times) == 1 else ""
        axes.plot(times, series.values[piece], color="C0", marker=mark, linewidth=1)
        axes.fill_between(times, series.lows[piece], series.highs[piece], color="C0", alpha=0.2, linewidth=0)


def _wall(moments: Sequence[float]) -> list[float]:
    """Return local times as matplotlib's days, without a zone, so that it shows them unchanged."""
    walls = [local(moment).replace(tzinfo=None) for moment in moments]
    return [float(day) for day in date2num(walls)]  # type: ignore[no-untyped-call]
