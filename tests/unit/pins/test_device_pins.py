"""Edges of lines that a device has let go, and notices of edges that nobody's line has had."""

import socket
import time
from pathlib import Path

import pytest
from gpiozero import DigitalInputDevice
from gpiozero.pins.mock import MockFactory

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets
from bootstrap.pins.device_pins import DevicePins
from bootstrap.pins.simulated_factory import SimulatedFactory
from bootstrap.pins.simulated_lines import LINES_VARIABLE, SimulatedLine
from support.world import PATIENCE_S


def test_an_edge_of_a_line_that_was_let_go_is_nobodys() -> None:
    """One that a thread of gpiozero's own factories has handed in, and that waits to be heard."""
    sockets = Sockets()
    seen: list[bool] = []
    inbox = Inbox(sockets)
    pins = DevicePins(Loop(), inbox, lambda edge: seen.append(edge.active))
    factory = MockFactory()
    pins.watch(DigitalInputDevice(17, pin_factory=factory))
    factory.pin(17).drive_high()
    inbox.receive()
    factory.pin(17).drive_low()
    pins.close()
    pins.watch(DigitalInputDevice(17, pin_factory=factory))
    inbox.receive()
    assert seen == [True]
    pins.close()
    inbox.close()
    sockets.end()


def test_nonsense_from_whoever_may_write_to_a_simulated_line_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LINES_VARIABLE, str(tmp_path))
    sockets = Sockets()
    inbox, loop = Inbox(sockets), Loop()
    seen: list[bool] = []
    pins = DevicePins(loop, inbox, lambda edge: seen.append(edge.active))
    pins.watch(DigitalInputDevice(17, pin_factory=SimulatedFactory()))
    later = time.monotonic_ns() + 10**15
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        for nonsense in (b"", b"nonsense", b"1", b"1 x", b"\xff", b"2 5", b"1 -5", b"1 5 5", f"1 {later}".encode()):
            stranger.sendto(nonsense, str(tmp_path / "17.poke"))
    SimulatedLine(17).drive(True)
    loop.run(lambda: bool(seen), PATIENCE_S)
    assert seen == [True]
    (tmp_path / "17.level").write_bytes(b"\xff")
    assert SimulatedLine(17).driven() is False
    pins.close()
    inbox.close()
    sockets.end()
