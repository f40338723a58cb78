"""The table of `penates watch` on terminals of any size."""

import io
import json
import time

import pytest
from rich.console import Console

from penates.fleet.fleet_view import FleetView
from penates.fleet.watch_table import cells, fitting


def fleet(count: int) -> FleetView:
    view = FleetView()
    about = {"kind": "thermometer", "measures": {"temperature": {"unit": "°C"}, "humidity": {"unit": "%"}}}
    for number in range(count):
        values = {"status/about": json.dumps(about), "status/state": "online", "data/temperature": "21.5"}
        for name, payload in {**values, "data/humidity": "40", "status/heartbeat": '{"reads":7}'}.items():
            list(view.receive(f"cm/room-{number:02}/{name}", payload.encode(), retained=True, at=time.monotonic()))
    return view


def drawn(count: int, width: int, height: int, *, facts: bool = False, down: str | None = None) -> list[str]:
    view = fleet(count)
    console = Console(width=width, height=height, file=io.StringIO())
    with console.capture() as text:
        console.print(fitting(console, view, down, cells(view, facts=facts), facts=facts))
    return text.get().splitlines()


@pytest.mark.parametrize("facts", [False, True])
@pytest.mark.parametrize("width", [20, 40, 72, 110])
@pytest.mark.parametrize("height", [5, 12, 24])
def test_it_fits_and_says_how_many_are_left_out(width: int, height: int, facts: bool) -> None:
    lines = drawn(30, width, height, facts=facts)
    shown = sum("room-" in line for line in lines)
    assert shown >= 1
    assert len(lines) < height or shown == 1
    assert f"and {30 - shown} more" in " ".join(" ".join(line.split()) for line in lines)


@pytest.mark.parametrize("width", [40, 110])
def test_all_of_a_sensor_is_seen(width: int) -> None:
    text = " ".join(word for line in drawn(3, width, 40) for word in line.replace("│", " ").split())
    for number in range(3):
        assert f"room-{number:02}" in text
    assert [text.count(part) for part in ("temperature 21.5 °C", "humidity 40 %", "online")] == [3, 3, 4]
    assert "more" not in text
    text = " ".join(drawn(3, width, 40, facts=True))
    assert "reads" in text


def test_without_a_broker_it_says_why_at_any_width() -> None:
    assert "no broker: refused" in " ".join(drawn(3, 40, 12, down="refused"))
    assert "0 sensors" in " ".join(drawn(0, 40, 12))
