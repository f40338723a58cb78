"""Edges of lines that a device has let go, notices of edges that nobody's line has had, levels that no line takes."""

import os
import socket
import time
from pathlib import Path

import pytest
from gpiozero import DigitalInputDevice, DigitalOutputDevice
from gpiozero.pins.mock import MockFactory

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets
from bootstrap.pins import unwritten_outputs
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


def test_an_output_that_cannot_be_switched_off_is_tried_again_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LINES_VARIABLE, str(tmp_path))
    monkeypatch.setattr(unwritten_outputs, "RETRY_S", 0.01)
    sockets, loop = Sockets(), Loop()
    inbox = Inbox(sockets)
    loop.add_reader(inbox.socket, inbox.receive)
    told: list[str | None] = []
    pins = DevicePins(loop, inbox, lambda _edge: None, told.append)
    relay, other = (DigitalOutputDevice(line, pin_factory=SimulatedFactory()) for line in (17, 27))
    pins.own(relay)
    pins.own(other, safe=1)
    relay.on()
    line = relay.pin.lend().descriptor
    writable, read_only = os.dup(line), os.open(tmp_path / "17.held", os.O_RDONLY)
    os.dup2(read_only, line)
    with pytest.raises(OSError, match="Bad file descriptor"):
        relay.off()
    assert loop.run(lambda: SimulatedLine(27).output() == 1, PATIENCE_S)
    assert (told, SimulatedLine(17).output()) == (
        ["an output could not be set: [Errno 9] Bad file descriptor; all are set to their safe values once that works"],
        1,
    )
    os.dup2(writable, line)
    assert loop.run(lambda: len(told) > 1, PATIENCE_S)
    assert (told[1], SimulatedLine(17).output()) == (None, 0)
    pins.close()
    inbox.close()
    sockets.end()
    os.close(writable)
    os.close(read_only)


def test_of_lines_that_were_released_before_they_could_be_set_nobody_says_that_they_are_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LINES_VARIABLE, str(tmp_path))
    sockets, loop = Sockets(), Loop()
    inbox = Inbox(sockets)
    told: list[str | None] = []
    pins = DevicePins(loop, inbox, lambda _edge: None, told.append)
    relay = pins.own(DigitalOutputDevice(17, pin_factory=SimulatedFactory()))
    relay.on()
    line = relay.pin.lend().descriptor
    read_only = os.open(tmp_path / "17.held", os.O_RDONLY)
    os.dup2(read_only, line)
    with pytest.raises(OSError, match="Bad file descriptor"):
        pins.close()
    inbox.receive()
    ended: list[bool] = []
    loop.call_later(0, lambda: ended.append(True))
    assert loop.run(lambda: bool(ended), PATIENCE_S)
    assert told == []
    inbox.close()
    sockets.end()
    os.close(read_only)
