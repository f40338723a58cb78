"""The header of a Pi with a device on it, in colours: for a terminal, and as SVG."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from html import escape

from rich.text import Text

from penates.wiring_picture import ROW, Resistor, WiredHeader, pin_name

WIDTH = 80
RAIL_COLOURS = {"5V": "red", "3V3": "orange", "GND": "black"}  # as wires of these are bought, and sold with devices
LINE_COLOURS = ("green", "blue", "yellow", "purple", "white", "brown", "grey")
NAMED = {*RAIL_COLOURS.values(), *LINE_COLOURS}
# What a terminal calls them, and SVG.
TERMINAL: Mapping[str, str] = {
    "orange": "dark_orange",
    "black": "bright_black",
    "purple": "magenta",
    "brown": "dark_goldenrod",
    "grey": "bright_black",
}
PAPER: Mapping[str, str] = {
    "red": "#d22",
    "orange": "#f80",
    "black": "#222",
    "green": "#292",
    "blue": "#26c",
    "yellow": "#cb0",
    "purple": "#93c",
    "white": "#bbb",
    "brown": "#852",
    "grey": "#888",
}
PIN_W, PIN_H, NAMES_W, WIRE_W, LEGS_W = 24, 24, 62, 70, 190
LINE_H, LETTERS = 18, 88  # of the title: height of a line, and how many fit into it
SVG_NS = "http://www.w3.org/2000/svg"


def colours(header: WiredHeader) -> dict[int, str]:
    """Return the colour of the wire at each pin: that which its leg is called by, or that of its rail, or any."""
    spare = iter(LINE_COLOURS)
    found = {}
    for pin, legs in sorted(header.legs.items()):
        own = next((leg for leg in legs if leg in NAMED), "")
        found[pin] = own or RAIL_COLOURS.get(pin_name(pin)) or next(spare, "grey")
    return found


def terminal(header: WiredHeader, *, ascii_only: bool) -> Iterator[Text]:
    """Yield the rows of the header, with the wires in their colours, and the resistors below it."""
    wire, ohm = ("--", "ohm") if ascii_only else ("──", "Ω")
    found = colours(header)
    rows = [*header.rows]
    width = max((len(", ".join(left)) for _pin, left, _right in rows), default=0)
    for pin, left, right in rows:
        row = Text(no_wrap=True)
        row.append(f"{', '.join(left):>{width}} ", _style(found, pin))
        row.append(wire if left else "  ", _style(found, pin))
        row.append(f" {pin_name(pin):>6} ", _name_style(pin)).append(f"{pin:>2} ").append(f"{pin + 1:<2} ")
        row.append(f"{pin_name(pin + 1):<6} ", _name_style(pin + 1))
        row.append(f"{wire} {', '.join(right)}" if right else "", _style(found, pin + 1))
        row.rstrip()
        row.truncate(WIDTH)
        yield row
    yield from (Text(resistor_text(one, ohm)) for one in header.resistors)


def _style(found: Mapping[int, str], pin: int) -> str:
    colour = found.get(pin, "")
    return f"bold {TERMINAL.get(colour, colour)}" if colour else ""


def _name_style(pin: int) -> str:
    colour = RAIL_COLOURS.get(pin_name(pin), "green")
    return TERMINAL.get(colour, colour)


def resistor_text(one: Resistor, ohm: str) -> str:
    """Return what a resistor is between, for people; `ohm` is the sign for the unit."""
    size = one.ohms.replace(" kohm", f" k{ohm}").replace(" ohm", f" {ohm}")
    pins = " and ".join(f"{pin_name(pin)} (pin {pin})" for pin in one.pins)
    return f"{size} between {pins}" if pins else f"{size} {one.between}"


# SVG.


def svg(headers: Iterable[WiredHeader], title: str) -> str:
    """Return a picture of one or several alternatives, one below the other."""
    lines = textwrap.wrap(title, LETTERS)
    parts = [_text(10, LINE_H * number, line, "h") for number, line in enumerate(lines, 1)]
    top = LINE_H * (len(lines) + 1)
    for header in headers:
        drawn, height = _drawn(header, top)
        parts.append(drawn)
        top += height
    width = 2 * (LEGS_W + WIRE_W + NAMES_W + PIN_W)
    style = "text{font:13px sans-serif;fill:#222}.n{font-size:11px}.p{fill:#fff}.h{font-weight:bold}"
    head = f'<svg xmlns="{SVG_NS}" viewBox="0 0 {width} {top}" width="{width}" height="{top}">'
    paper = f'<rect width="{width}" height="{top}" fill="#fff"/>'
    return "\n".join([head, f"<style>{style}</style>", paper, *parts, "</svg>", ""])


def _drawn(header: WiredHeader, top: int) -> tuple[str, int]:
    """Return the header drawn below `top`, and how high it is."""
    rows, found = [*header.rows], colours(header)
    middle = LEGS_W + WIRE_W + NAMES_W + PIN_W
    above = PIN_H if header.label else 0
    parts = [_text(10, top + 14, header.label)] if header.label else []
    height = PIN_H * len(rows)
    parts.append(
        f'<rect x="{middle - PIN_W}" y="{top + above}" width="{2 * PIN_W}" height="{height}" rx="4" fill="#333"/>'
    )
    for number, (pin, left, right) in enumerate(rows):
        y = top + above + PIN_H * number + PIN_H // 2
        parts += _pin(pin, (middle - PIN_W // 2, y, -1), left, found)
        parts += _pin(pin + 1, (middle + PIN_W // 2, y, 1), right, found)
    for number, one in enumerate(header.resistors):
        parts += _resistor(one, top + above + height + PIN_H * number + PIN_H, found)
    return "\n".join(parts), above + height + PIN_H * (len(header.resistors) + 1)


def _pin(pin: int, at: tuple[int, int, int], legs: list[str], found: Mapping[int, str]) -> Iterator[str]:
    """Yield a pin with its name, and the wire to its legs. `at` has its middle, and its side: -1 on the left."""
    x, y, side = at
    fill = PAPER[RAIL_COLOURS.get(pin_name(pin), "green")]
    yield f'<circle cx="{x}" cy="{y}" r="9" fill="{fill}" stroke="#eee"/>'
    yield _text(x, y + 4, str(pin), "n p", "middle")
    beside = x + side * (PIN_W // 2 + 6)
    yield _text(beside, y + 4, pin_name(pin), "n", "start" if side > 0 else "end")
    if legs:
        near, far = x + side * (PIN_W // 2 + NAMES_W - 6), x + side * (PIN_W // 2 + NAMES_W + WIRE_W)
        yield f'<path d="M{near} {y}H{far}" stroke="{PAPER[found[pin]]}" stroke-width="4" stroke-linecap="round"/>'
        yield _text(far + 8 * side, y + 4, ", ".join(legs), "", "start" if side > 0 else "end")


def _resistor(one: Resistor, y: int, found: Mapping[int, str]) -> Iterator[str]:
    """Yield a resistor with the ends of the wires that it is between."""
    ends = [PAPER[found.get(pin, "grey")] for pin in one.pins] or [PAPER["grey"]] * ROW
    for (begin, end), colour in zip(((40, 70), (130, 160)), (ends[0], ends[-1]), strict=True):
        yield f'<path d="M{begin} {y}H{end}" stroke="{colour}" stroke-width="4"/>'
    yield f'<rect x="70" y="{y - 8}" width="60" height="16" rx="6" fill="#dca" stroke="#864"/>'
    yield _text(170, y + 4, resistor_text(one, "Ω"))


def _text(x: int, y: int, text: str, style: str = "", anchor: str = "start") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{named}>{escape(text)}</text>'
