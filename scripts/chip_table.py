"""The tables of parts that a driver of the kernel reads: which kind, where, and by which overlay."""

from collections.abc import Iterable

from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.kernel_sensors.chip import Chip
from markdown_table import table
from penates.parts import serving

HEAD = ("part", "`dtoverlay=`", "place", "")


def chips() -> str:
    """Return the table of all parts, each with its kind, in Markdown."""
    kinds = {part: ", ".join(f"[{one.kind}](kinds/{one.kind}.md)" for one in serving(part)) for part in CATALOG}
    rows = [(*drivers([part])[0], kinds[part]) for part in CATALOG]
    return table((*HEAD, "kind"), rows) + "\n"


def drivers(parts: Iterable[str]) -> list[tuple[str, ...]]:
    """Return a row for each part: its overlay, where it usually is, and whether Raspberry Pi OS has its driver."""
    return [_driver(part) for part in parts]


def _driver(part: str) -> tuple[str, ...]:
    (need,) = Chip(part).needs()
    overlay = f"`{need.overlay}`" if need.overlay else "none"
    return part, overlay, need.place, "" if need.shipped else "no driver in Raspberry Pi OS"
