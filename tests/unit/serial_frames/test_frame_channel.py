"""What a port says becomes frames, or the reason why there are none."""

import fcntl
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.needs import DeviceNode, Need, NetworkHost, needs_of
from bootstrap.serial_frames.fixed_frames import fixed
from bootstrap.serial_frames.frame_channel import FrameChannel
from bootstrap.serial_frames.port_or_host import PortOrHost
from bootstrap.streams import Serial, Tcp
from daemons.smartmeter import SmartMeter
from penates.testing import Bench
from support.spoken import Spoken, patiently

TIOCGEXCL = 0x80045440  # linux/termios.h
SHORT_S, LONG_S = 0.2, 20.0
SPLIT = fixed(b"AB", 5, lambda frame: sum(frame[2:4]) & 0xFF == frame[4])
GOOD, WRONG = b"AB\x07\x02\x09", b"AB\x07\x02\x0a"


def heard(port: Spoken, within_s: float) -> bytes:
    with FrameChannel(Serial(port.path)) as channel:
        return channel.first(SPLIT, within_s)


@pytest.mark.parametrize(
    "parts",
    [
        (GOOD,),
        (b"A", b"B\x07", b"\x02\x09"),
        (b"\x00\xff noise A", GOOD),
        (GOOD[:3], GOOD),
        (WRONG, GOOD),
        (b"AB" + GOOD,),
        (b"ABAB\x07", b"\x02\x09"),
    ],
    ids=["whole", "in parts", "after noise", "after a cut one", "after a wrong one", "twice begun", "begun in another"],
)
def test_a_good_frame_is_found_whatever_comes_before(port: Spoken, parts: tuple[bytes, ...]) -> None:
    port.plays(*parts)
    assert heard(port, LONG_S) == GOOD


@pytest.mark.parametrize(
    ("parts", "error", "why"),
    [
        ((), OSError, "is open, but nothing came for 0.2 s; look at wires and power"),
        ((b"noise",), ValueError, "bytes came, but no whole frame; is it the right device and speed"),
        ((WRONG,), ValueError, "wrong checksum: 41 42 07 02 0a"),
        ((GOOD[:3],), ValueError, "wrong checksum|no whole frame"),
    ],
    ids=["silence", "noise", "wrong", "cut"],
)
def test_without_a_good_frame_the_reason_is_told(
    port: Spoken, parts: tuple[bytes, ...], error: type[Exception], why: str
) -> None:
    if parts:
        port.plays(*parts)
    with pytest.raises(error, match=why):
        patiently(lambda: heard(port, SHORT_S)) if parts else heard(port, SHORT_S)


def test_a_port_that_is_pulled_out_while_it_is_heard_is_gone(port: Spoken) -> None:
    with FrameChannel(Serial(port.path)) as channel:
        timer = threading.Timer(SHORT_S, port.unplug)
        timer.start()
        with pytest.raises(OSError, match="is gone"):
            channel.first(SPLIT, LONG_S)
        timer.join()
        with pytest.raises(OSError, match=r"gone|Input/output"):
            channel.write(b"?")
    with pytest.raises(FileNotFoundError):
        FrameChannel(Serial(port.path))


def test_what_came_before_a_question_is_no_answer(port: Spoken) -> None:
    port.answers(lambda _: GOOD)
    with FrameChannel(Serial(port.path)) as channel:
        port.send(b"AB\x05\x05\x0a")
        channel.write(b"?")
        assert channel.first(SPLIT, LONG_S) == GOOD


def test_a_pseudo_terminal_can_be_opened_again_in_a_mode_that_it_lacks(port: Spoken) -> None:
    port.plays(GOOD)
    for _ in range(3):
        with FrameChannel(Serial(port.path, 9600, "7E1")) as channel:
            assert channel.first(SPLIT, LONG_S) == GOOD


def test_a_port_of_one_device_is_closed_to_others_and_that_of_a_bus_is_not(port: Spoken) -> None:
    """The kernel tells by TIOCGEXCL whether others are kept out; root is not."""
    for alone in (True, False):
        with FrameChannel(Serial(port.path), alone=alone), port.path.open("rb", buffering=0) as other:
            (kept_out,) = struct.unpack("i", fcntl.ioctl(other, TIOCGEXCL, bytes(4)))
            assert bool(kept_out) is alone
    with port.path.open("rb", buffering=0) as other:
        with FrameChannel(Serial(port.path)):
            pass
        assert struct.unpack("i", fcntl.ioctl(other, TIOCGEXCL, bytes(4))) == (0,), "it is open to others again"


def served(serve: Callable[[socket.socket], None]) -> tuple[threading.Thread, Tcp]:
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with server, server.accept()[0] as peer:
            serve(peer)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, Tcp("127.0.0.1", server.getsockname()[1])


def test_frames_come_over_tcp_as_well() -> None:
    thread, source = served(lambda peer: peer.sendall(peer.recv(1) + b"noise" + GOOD))
    with FrameChannel(source) as channel:
        channel.write(b"?")
        assert channel.first(SPLIT, LONG_S) == GOOD
    thread.join()


def test_a_connection_that_is_closed_or_refused_is_told() -> None:
    thread, source = served(lambda _peer: None)
    with FrameChannel(source) as channel, pytest.raises(OSError, match=r"closed the connection|is gone"):
        channel.first(SPLIT, LONG_S)
    thread.join()
    with pytest.raises(OSError, match=rf"{source} cannot be reached: .*refused"):
        FrameChannel(source)


def test_a_meter_behind_a_host_that_passes_its_port_on() -> None:
    telegram = b"/X\r\n\r\n1-0:1.7.0(00.250*kW)\r\n!\r\n"
    thread, source = served(lambda peer: peer.sendall(telegram[9:] + telegram))
    with Bench(SmartMeter(port=PortOrHost(str(source)), standard="dsmr3")) as bench:
        assert bench.read() == {"power": 250}
    thread.join()


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("/dev/serial0", DeviceNode(Path("/dev/serial0"))),
        ("meter.local:23", NetworkHost("meter.local")),
        ("192.168.7.8:1", NetworkHost("192.168.7.8")),
    ],
)
def test_a_place_declares_what_it_needs(text: str, need: Need) -> None:
    assert needs_of(SmartMeter(port=PortOrHost(text))) == [("port", need)]
    assert str(PortOrHost(text)) == text


@pytest.mark.parametrize(
    "text", ["meter", "meter:0", "meter:65536", "meter:x", "dev/ttyUSB0", ":23", "me ter:1", "a:1:2"]
)
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(ValueError, match='the full path of a serial port, or "HOST:PORT"'):
        PortOrHost(text)


@pytest.mark.parametrize(
    ("text", "on_pins"),
    [
        ("/dev/serial0", True),
        ("/dev/ttyAMA10", True),
        ("/dev/ttyS0", True),
        ("/dev/ttyUSB0", False),
        ("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", False),
        ("serial0:2000", False),
    ],
)
def test_which_ports_the_pi_powers(text: str, on_pins: bool) -> None:
    assert PortOrHost(text).on_pins is on_pins
