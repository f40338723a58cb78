"""The table of all parts that a driver of the kernel reads: which kind, where, and by which overlay."""

from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.kernel_sensors.chip import Chip
from penates.parts import serving

HEAD = ("part", "kind", "`dtoverlay=`", "place", "")


def chips() -> str:
    """Return the table, in Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *map(_row, CATALOG)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _row(part: str) -> tuple[str, ...]:
    (need,) = Chip(part).needs()
    kinds = ", ".join(f"[{one.kind}](kinds/{one.kind}.md)" for one in serving(part))
    overlay = f"`{need.overlay}`" if need.overlay else "none"
    return part, kinds, overlay, need.place, "" if need.shipped else "no driver in Raspberry Pi OS"
