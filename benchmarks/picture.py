"""The table of benchmarks/outages.py as an SVG: a card of its own colours, legible on a light and on a dark page."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from html import escape
from typing import TypeAlias

WIDTH, LEFT, COLUMN, LINE, TOP = 880, 330, 88, 30, 74
TITLE = "What four outages leave behind"
CAPTION = "Numbers of values; in the last two columns of inputs. One run of benchmarks/outages.py, which says how."
IMPOSSIBLE = "knows one broker only"
STYLE = """
text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.small { font-size: 12px; fill: #57606a }
.middle { text-anchor: middle }
.end { text-anchor: end }
.card { fill: #ffffff; stroke: #d0d7de }
.rule { stroke: #d0d7de }
.bad { fill: #cf222e }
.on-bad { fill: #ffffff; font-weight: 600 }
.good { fill: #1a7f37; font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .card { fill: #0d1117; stroke: #3d444d } .rule { stroke: #3d444d }
  .bad { fill: #da3633 } .on-bad { fill: #ffffff } .good { fill: #3fb950 }
}
"""


@dataclass(frozen=True)
class Row:
    """What one subject left behind after one outage: numbers of values, then of inputs."""

    values: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    without_time: int = 0
    wrong_final_state: int = 0
    silent: int = 0

    def __add__(self, other: "Row") -> "Row":
        return Row(*(one + more for one, more in zip(self.cells(), other.cells(), strict=True)))

    @classmethod
    def titles(cls) -> Iterator[str]:
        return (field.name.replace("_", " ") for field in fields(cls))

    def cells(self) -> tuple[int, ...]:
        return astuple(self)


Found: TypeAlias = dict[str, dict[str, Row | None]]  # by outage, by subject; None: it has no such thing


def text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(words)}</text>'


def middle_of(column: int) -> float:
    return LEFT + COLUMN * (column + 0.5)


def header() -> Iterator[str]:
    """Titles in two lines where they are long."""
    for column, title in enumerate(list(Row.titles())[1:]):
        first, _, rest = title.rpartition(" ")
        for line, words in enumerate([first, rest]):
            if words:
                yield text(middle_of(column), TOP - 15 + 15 * line, words, "small middle")


def cell(column: int, y: float, number: int) -> str:
    x = middle_of(column)
    if not number:
        return text(x, y, "0", "good middle")
    back = f'<rect x="{x - 20:g}" y="{y - 16:g}" width="40" height="22" rx="11" class="bad"/>'
    return back + text(x, y, str(number), "on-bad middle")


def body(found: Found) -> Iterator[str]:
    y = TOP + 12
    for outage, rows in found.items():
        values = next(row.values for row in rows.values() if row)
        yield f'<line x1="20" x2="{WIDTH - 20}" y1="{y}" y2="{y}" class="rule"/>'
        yield text(20, y + 23, outage) + text(WIDTH - 20, y + 23, f"{values} values", "small end")
        for subject, row in rows.items():
            y += LINE
            yield text(40, y + 21, subject, "small")
            if row:
                yield from (cell(column, y + 21, number) for column, number in enumerate(row.cells()[1:]))
            else:
                yield text(middle_of(0) - 5, y + 21, IMPOSSIBLE, "small")
        y += LINE + 8


def draw(found: Found) -> str:
    lines = sum(1 + len(rows) for rows in found.values())
    height = TOP + lines * LINE + len(found) * 8 + 50
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{TITLE}</title>",
            f"<style>{STYLE}</style>",
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="card"/>',
            text(20, 32, TITLE, "title"),
            *header(),
            *body(found),
            text(20, height - 16, CAPTION, "small"),
            "</svg>\n",
        ]
    )
