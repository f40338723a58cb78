"""How devices are wired to the header of a Pi, on the terminal and as a picture."""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from bootstrap.config.toml_file import convert
from bootstrap.errors import Exit, Fatal
from penates.console.output import colours, is_dumb, to_a_reader
from penates.datasheet import Sheet
from penates.files.new_device import values_of
from penates.wiring_drawing import svg, terminal
from penates.wiring_picture import WiredHeader

SIGNS = "─Ω"


def print_wiring(sheets: Sequence[Sheet], part: str, settings: Sequence[str]) -> None:
    """Print the header with each of these kinds on it, and what the text says of its wiring.

    Raises:
        Fatal: a setting is wrong.
    """
    console = Console(highlight=False, no_color=not colours())
    with to_a_reader():
        for found, values, headers in _all_wired(sheets, part, settings):
            console.print(f"{found.kind}: {found.summary}", style="bold", markup=False)
            for header in headers:
                console.print(*([f"\n{header.label}:"] if header.label else []), markup=False)
                for row in terminal(header, ascii_only=is_dumb() or not _has(SIGNS)):
                    console.print(row)
            more = "" if headers else " No pin of the header is named."
            console.print(f"\nWiring: {found.wiring}{more}", markup=False)
            for step in found.driver(values):
                console.print(f"Driver: {step}.", markup=False)


def wiring_svg(sheets: Sequence[Sheet], part: str, settings: Sequence[str]) -> str:
    """Return a picture of the header with these kinds on it.

    Raises:
        Fatal: a setting is wrong, or no pin is named by any of them.
    """
    found = [*_all_wired(sheets, part, settings)]
    headers = [header for _sheet, _values, some in found for header in some]
    if not headers:
        raise Fatal(Exit.SETTINGS, f"no pin of the header is named: {found[0][0].wiring}")
    title = "; ".join(f"{one.kind}: {one.summary}" for one, _values, _some in found)
    return svg(headers, title)


def _all_wired(
    sheets: Sequence[Sheet], part: str, settings: Sequence[str]
) -> Iterator[tuple[Sheet, dict[str, str], list[WiredHeader]]]:
    for found in sheets:
        values = found.of_part(part) | values_of(found.settings, settings, Path())
        _check(found, values)
        yield found, values, found.wired(values, part)


def _check(found: Sheet, values: dict[str, str]) -> None:
    hints = {one.name: one.hint for one in found.settings}
    for name, value in values.items():
        try:
            convert(tomllib.loads(f"value = {value}")["value"], hints[name], Path())
        except KeyError:
            continue  # the sensor's own names
        except ValueError as error:
            raise Fatal(Exit.SETTINGS, f"{name} must be {error}, not {value}") from None


def _has(signs: str) -> bool:
    """Return whether what reads our output has these signs."""
    try:
        signs.encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeError):
        return False
    return True
