"""Sensors of particulate matter: Plantower PMS5003, PMS7003 and PMSA003, Nova SDS011, Sensirion SPS30."""

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal, Protocol, TypeAlias

from bootstrap.device import Reading
from bootstrap.serial_frames.fixed_frames import fixed
from bootstrap.serial_frames.frame_channel import FrameChannel
from bootstrap.serial_frames.port_or_host import PortOrHost
from bootstrap.serial_frames.warm_up import WarmUp

Make: TypeAlias = Literal["pms5003", "pms7003", "pmsa003", "sds011", "sps30"]
ALL = ("pm1", "pm2_5", "pm10")
WITHIN_S = 5.0  # Plantower sends each 0.2 to 2.3 s, the SDS011 each second
FAN_S = 30.0  # until the fan's flow is even (PMS5003 data sheet, "Circuit attentions"; SPS30, "Start-up time")


class ParticleMeter(Protocol):
    """What reads one make of sensor.

    Attributes:
        measures: what it measures.
    """

    measures: Sequence[str]

    def read(self, port: PortOrHost) -> Reading:
        """Return what it measures; it raises what `Device.read` may."""


# Plantower: two start bytes, the length 28, thirteen words, and the sum of all bytes before it.
PLANTOWER = fixed(b"\x42\x4d\x00\x1c", 32, lambda frame: sum(frame[:30]) == int.from_bytes(frame[30:]))
# SDS011: start, command, six bytes and their sum, end.
SDS011 = fixed(b"\xaa\xc0", 10, lambda frame: sum(frame[2:8]) & 0xFF == frame[8] and frame[9] == 0xAB)  # noqa: PLR2004


def of_plantower(frame: bytes, *, tells_errors: bool) -> Reading:
    """Return the concentrations in the atmosphere, words 4 to 6; words 1 to 3 are those of the factory's calibration.

    Raises:
        ValueError: the sensor reports an error; the PMS5003 has none to report.
    """
    if tells_errors and frame[29]:
        raise ValueError(f"the sensor reports error {frame[29]:#04x}; is its fan blocked?")
    pm1, pm2_5, pm10 = struct.unpack_from(">3H", frame, 10)
    return {"pm1": pm1, "pm2_5": pm2_5, "pm10": pm10}


def of_sds011(frame: bytes) -> Reading:
    """Return the concentrations, which it has in tenths."""
    pm2_5, pm10 = struct.unpack_from("<2H", frame, 2)
    return {"pm2_5": pm2_5 / 10, "pm10": pm10 / 10}


class HeardMeter:
    """A sensor that sends frames by itself."""

    def __init__(self, make: Make) -> None:
        """Hear this make."""
        self.measures: Sequence[str] = ALL[1:] if make == "sds011" else ALL
        self._split = SDS011 if make == "sds011" else PLANTOWER
        told = partial(of_plantower, tells_errors=make != "pms5003")
        self._of: Callable[[bytes], Reading] = of_sds011 if make == "sds011" else told
        self._warm_up = WarmUp(FAN_S)

    def read(self, port: PortOrHost) -> Reading:
        """Return the next frame."""
        try:
            with FrameChannel(port.source(9600)) as channel:
                frame = channel.first(self._split, WITHIN_S)
        except OSError:
            self._warm_up.silent()
            raise
        self._warm_up.answered(port)
        return self._of(frame)


# The SPS30's frames by SHDLC: marks around address, command, state, length, data and checksum, with bytes escaped.
MARK, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
ESCAPED = (MARK, ESCAPE, 0x11, 0x13)
START, READ = 0x00, 0x03
AS_FLOATS = b"\x01\x03"
NOT_NOW = 0x43  # the state of a command that the mode does not allow
DEVICE_ERROR = 0x80  # set in the state if a bit of its status register is
SHORTEST = 5  # bytes of an answer without data


def shdlc(command: int, data: bytes = b"") -> bytes:
    """Return the frame of a command."""
    body = bytes((0, command, len(data), *data))
    stuffed = b"".join(bytes((ESCAPE, one ^ FLIP) if one in ESCAPED else (one,)) for one in body + _checksum(body))
    return bytes((MARK, *stuffed, MARK))


def _checksum(body: bytes) -> bytes:
    return bytes((~sum(body) & 0xFF,))


def shdlc_frames(buffer: bytearray) -> Iterator[bytes | ValueError]:
    """Split answers; each is yielded as address, command, state, length and data."""
    while (at := buffer.find(MARK)) >= 0 and (end := buffer.find(MARK, at + 1)) > 0:
        stuffed = bytes(buffer[at + 1 : end])
        del buffer[:end]
        body = _unstuffed(stuffed)
        if not body:
            continue
        if len(body) < SHORTEST or body[3] != len(body) - SHORTEST or _checksum(body[:-1]) != body[-1:]:
            yield ValueError(f"a frame has a wrong length or checksum: {stuffed.hex(' ')}")
        else:
            del buffer[:1]
            yield body[:-1]


def _unstuffed(stuffed: bytes) -> bytes:
    found, escaped = bytearray(), False
    for one in stuffed:
        if one == ESCAPE and not escaped:
            escaped = True
        else:
            found.append(one ^ FLIP if escaped else one)
            escaped = False
    return bytes(found)


class Sps30:
    """An SPS30, which is told to measure and then asked for values."""

    def __init__(self) -> None:
        self.measures: Sequence[str] = ALL
        self._warm_up = WarmUp(FAN_S)
        self._started = False

    def read(self, port: PortOrHost) -> Reading:
        """Return the newest concentrations; start it first where that has not been done."""
        try:
            with FrameChannel(port.source(115_200)) as channel:
                if not self._started:
                    self._start(channel)
                self._warm_up.answered(port)
                return self._values(channel)
        except OSError:
            self._warm_up.silent()
            self._started = False
            raise
        except ValueError:
            self._started = False
            raise

    def _start(self, channel: FrameChannel) -> None:
        """Start it, unless it runs: then it refuses that."""
        state, _ = self._ask(channel, START, AS_FLOATS)
        if state not in (0, NOT_NOW):
            raise ValueError(f"the sensor does not start: state {state:#04x}")
        if state == 0:
            self._warm_up.begin()
        self._started = True

    def _values(self, channel: FrameChannel) -> Reading:
        state, data = self._ask(channel, READ)
        if state or len(data) != 40:  # noqa: PLR2004 - ten floats
            raise ValueError(f"the sensor has no values: state {state:#04x}, {len(data)} bytes; was it without power?")
        pm1, pm2_5, _pm4, pm10 = struct.unpack_from(">4f", data)
        return {name: round(value, 2) for name, value in (("pm1", pm1), ("pm2_5", pm2_5), ("pm10", pm10))}

    def _ask(self, channel: FrameChannel, command: int, data: bytes = b"") -> tuple[int, bytes]:
        """Return the state and the data of the answer."""
        channel.write(shdlc(command, data))
        for frame in channel.frames(shdlc_frames, 1.0):
            if frame[1] == command:
                if frame[2] & DEVICE_ERROR:
                    raise ValueError("the sensor reports an error of its fan or laser; clean it, or replace it")
                return frame[2], frame[4:]
        raise ValueError("the sensor has answered something else")


def meter_of(make: Make) -> ParticleMeter:
    """Return what reads a sensor of this make."""
    return Sps30() if make == "sps30" else HeardMeter(make)
