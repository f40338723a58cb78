"""The displays of a house, drawn beside its table."""

import re
from base64 import b64encode
from collections.abc import Iterator

from penates.display_picture import ShownDisplay
from penates.fleet.fleet_view import FleetView, SeenSensor

SIZE = re.compile(r'viewBox="0 0 (?P<width>[\d.]+) (?P<height>[\d.]+)"')
GAP, LABEL = 20, 24  # pixels between pictures, and above each for its name
TEXT = 'font-family="arial" font-size="18" fill="#888"'
PNG_SIZE = slice(16, 20), slice(20, 24)  # where a PNG says how wide and high it is


def with_displays(svg: str, view: FleetView) -> str:
    """Return a picture that is as wide as it must be for all displays at its right."""
    found = SIZE.search(svg)
    drawn = [*_drawn(view)]
    if not found or not drawn:
        return svg
    left, top, width, images = float(found["width"]) + GAP, 0, 0, []
    for name, png in drawn:
        size = [int.from_bytes(png[part]) for part in PNG_SIZE]
        images.append(f'<text x="{left:g}" y="{top + LABEL - 6}" {TEXT}>{name}</text>')
        place = f'x="{left:g}" y="{top + LABEL}" width="{size[0]}" height="{size[1]}"'
        images.append(f'<image {place} href="data:image/png;base64,{b64encode(png).decode()}"/>')
        top, width = top + LABEL + size[1] + GAP, max(width, size[0])
    whole = f'viewBox="0 0 {left + width:g} {max(float(found["height"]), top):g}"'
    return svg.replace(found[0], whole, 1).replace("</svg>", "\n".join([*images, "</svg>"]))


def _drawn(view: FleetView) -> Iterator[tuple[str, bytes]]:
    """Yield each display's sensor and its picture."""
    for name, sensor in sorted(view.sensors.items()):
        if "display" in sensor.about:
            try:
                yield name, _display(sensor).png()
            except ValueError:
                continue  # it shows nothing yet, or is somebody's own idea of a display


def _display(sensor: SeenSensor) -> ShownDisplay:
    return ShownDisplay.published(sensor.about, sensor.values.get("shown", b""), sensor.values.get("light"))
