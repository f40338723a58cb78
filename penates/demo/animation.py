"""What the demo has shown, as an SVG that moves: small, sharp, in the viewer's own font and colours.

Each line of the screen is drawn once for as long as it stays the same, and a CSS animation shows it at its time.
Whoever asks for less motion sees the last frame, as does a program that knows no animations.
"""

import io
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.text import Text

from penates.demo.screen import Scene, screen

SIZE = (90, 24)  # columns and lines
COLUMN, LINE, FONT, MARGIN = 8.4, 18, 14, 16  # pixels
LAST_S = 8.0  # for which the last frame stands
PALETTE = {  # by class: its colour on a light page, and on a dark one
    "p": ("#f6f8fa", "#0d1117"),  # the paper
    "f": ("#1f2328", "#e6edf3"),
    "r": ("#cf222e", "#ff7b72"),
    "g": ("#1a7f37", "#3fb950"),
    "y": ("#9a6700", "#e3b341"),
    "c": ("#0969da", "#58a6ff"),
    "d": ("#6e7781", "#8b949e"),
}
CODES = {1: "r", 2: "g", 3: "y", 4: "c", 6: "c", 8: "d"}  # the colours of a terminal
BRAILLE = 0x2800
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # column and row of each bit
RULES = {"━": 'stroke-width="3"', "╌": 'stroke-width="3" stroke-dasharray="4 4"', "─": 'stroke-width="1"'}


class Run(NamedTuple):
    """A part of a line in one style, from a column on."""

    column: int
    text: str
    style: str


Row = tuple[Run, ...]


class Shown(NamedTuple):
    """A line of the screen that stayed the same from one second to another."""

    line: int
    row: Row
    began: float
    ended: float


class Animation:
    """Collects what is shown, and draws it in the end."""

    def __init__(self) -> None:
        self._console = Console(width=SIZE[0], file=io.StringIO(), force_terminal=True, color_system="standard")
        self._frames: list[tuple[float, list[Row]]] = []

    def add(self, scene: Scene) -> None:
        """Add a moment of the demo."""
        self._add(scene.second, screen(scene, (SIZE[0], SIZE[1] + 1)))

    def end(self, lines: Sequence[str]) -> None:
        """Add what a terminal shows last; its colours are ANSI sequences."""
        self._add(self._frames[-1][0] + 0.5, Text.from_ansi("\n".join(lines), no_wrap=True))

    def _add(self, second: float, shown: RenderableType) -> None:
        options = self._console.options.update(height=None)
        lines = self._console.render_lines(shown, options, pad=False)[: SIZE[1]]
        self._frames.append((second, [_row(line) for line in lines]))

    def svg(self) -> str:
        """Return the picture."""
        whole_s = self._frames[-1][0] + LAST_S
        spans = dict[tuple[float, float], str]()  # their names
        drawn = [_drawn(one, _names(one, whole_s, spans)) for one in self._shown(whole_s) if one.row]
        width, height = SIZE[0] * COLUMN + 2 * MARGIN, SIZE[1] * LINE + 2 * MARGIN
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" xml:space="preserve">'
        paper = f'<rect class="p" width="{width:g}" height="{height:g}" rx="8"/>'
        style = f"<style>{''.join((STYLE, *_timing(spans, whole_s)))}</style>"
        return "\n".join([head, "<title>penates demo</title>", style, paper, *drawn, "</svg>", ""])

    def _shown(self, whole_s: float) -> Iterator[Shown]:
        """Yield each line for as long as it stays the same."""
        frames = [*self._frames, (whole_s, list[Row]())]
        for line in range(SIZE[1]):
            began, row = 0.0, _at(frames[0][1], line)
            for second, rows in frames[1:]:
                if _at(rows, line) != row or second == whole_s:
                    yield Shown(line, row, began, second)
                    began, row = second, _at(rows, line)


def _at(rows: list[Row], line: int) -> Row:
    return rows[line] if line < len(rows) else ()


def _row(line: list[Segment]) -> Row:
    """Return a line without the spaces around what is printed."""
    runs, column = list[Run](), 0
    for segment in line:
        if text := segment.text.strip():
            before = len(segment.text) - len(segment.text.lstrip())
            runs.append(Run(column + before, text, _style(segment)))
        column += len(segment.text)
    return tuple(runs)


def _style(segment: Segment) -> str:
    """Return the classes of a segment."""
    style = segment.style
    if style is None:
        return "f"
    number = style.color.number if style.color else None
    name = CODES.get(-1 if number is None else number, "d" if style.dim else "f")
    return " ".join([name, *(["b"] if style.bold else [])])


def _names(one: Shown, whole_s: float, spans: dict[tuple[float, float], str]) -> str:
    """Return the classes of a line: which animation it has, and whether it is hidden without one."""
    if (one.began, one.ended) == (0.0, whole_s):
        return ""
    name = spans.setdefault((one.began, one.ended), f"k{len(spans)}")
    return f' class="a {name}"' if one.ended == whole_s else f' class="a h {name}"'


def _timing(spans: dict[tuple[float, float], str], whole_s: float) -> Iterator[str]:
    """Yield the animations, for whoever does not mind motion."""
    yield f"@media (prefers-reduced-motion:no-preference){{.a{{animation:{whole_s:g}s step-end infinite}}"
    for (began, ended), name in spans.items():
        steps = [f"{began / whole_s:.2%}{{visibility:visible}}"] if began else ["0%{visibility:visible}"]
        steps = ["0%{visibility:hidden}", *steps] if began else steps
        steps += [] if ended == whole_s else [f"{ended / whole_s:.2%}{{visibility:hidden}}"]
        yield f".{name}{{animation-name:{name}}}@keyframes {name}{{{''.join(steps)}}}"
    yield "}"


def _drawn(one: Shown, names: str) -> str:
    parts = "".join(part for run in one.row for part in _run(run))
    y = MARGIN + one.line * LINE + FONT
    return f'<g{names} transform="translate({MARGIN} {y})">{parts}</g>'


def _run(run: Run) -> Iterator[str]:
    """Yield a run as text that is as wide as its columns; rules and the dots of a chart as paths."""
    x, width = run.column * COLUMN, len(run.text) * COLUMN
    if rule := RULES.get(run.text[0] if len({*run.text}) == 1 else ""):
        yield f'<path class="{run.style} s" {rule} d="M{x:g} -5h{width:g}"/>'
        return
    if dots := "".join(_dots(run)):
        yield f'<path class="{run.style} s" stroke-width="2.4" stroke-linecap="round" d="{dots}"/>'
    text = "".join(" " if _is_braille(letter) else letter for letter in run.text)
    if text.strip():
        yield f'<text class="{run.style}" x="{x:g}" textLength="{width:g}">{escape(text, quote=False)}</text>'


def _is_braille(letter: str) -> bool:
    return BRAILLE <= ord(letter) < BRAILLE + 256


def _dots(run: Run) -> Iterator[str]:
    """Yield the dots of the Braille patterns in a run, as parts of a path."""
    for number, letter in enumerate(run.text):
        for bit, (across, down) in enumerate(DOTS):
            if _is_braille(letter) and (ord(letter) - BRAILLE) >> bit & 1:
                x = (run.column + number + 0.25 + across / 2) * COLUMN
                yield f"M{x:.1f} {down * LINE / 4 - FONT + 2:.1f}h0"


def _colours(dark: int) -> str:
    return "".join(
        f".{name}{{fill:{pair[dark]}}}.{name}.s{{stroke:{pair[dark]};fill:none}}" for name, pair in PALETTE.items()
    )


STYLE = (
    f"text{{font:{FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;"
    f"white-space:pre}}.b{{font-weight:bold}}.h{{visibility:hidden}}{_colours(0)}"
    f"@media (prefers-color-scheme:dark){{{_colours(1)}}}"
)
