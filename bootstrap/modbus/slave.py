"""A device on a Modbus, asked for registers by RTU on a serial port or by TCP (modbus.org, V1.1b3)."""

import itertools
import struct
from collections.abc import Iterator
from functools import partial
from typing import Protocol, Self

from bootstrap.serial_frames.crc import crc16
from bootstrap.serial_frames.frame_channel import FrameChannel
from bootstrap.streams import Serial, Tcp

COILS, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4  # functions that read
WRITE_REGISTER = 6
REFUSED = 0x80  # added to the function where the device refuses
MOST = 125  # registers at once
ATTEMPTS = 2  # a single disturbance of a long cable is no fault
HEAD = 7  # bytes before function and data over TCP
EXCEPTION = 5  # bytes of an RTU frame that refuses; of others, those beside the data
LACKS = (2, 3)
REASONS = {
    1: "it does not know this function; try the other table of registers",
    2: "it has no such register",
    3: "it does not accept this number of registers, or this value",
    4: "it has failed",
    5: "it has accepted that, and needs more time",
    6: "it is busy",
    8: "its memory has an error",
    10: "the gateway has no path to it",
    11: "it does not answer the gateway",
}


class Refusal(ValueError):  # noqa: N818 - the device's answer, by the standard's word an exception response
    """The device has answered that it does not do this.

    Attributes:
        lacks: whether that is because something of what was asked for is not there.
    """

    def __init__(self, address: int, code: int) -> None:
        why = REASONS.get(code, "it refuses")
        super().__init__(f"Modbus address {address} refuses (exception {code}): {why}")
        self.lacks = code in LACKS


class ModbusLine(Protocol):
    """The form of frames on a connection."""

    def ask(self, channel: FrameChannel, address: int, request: bytes, length: int, within_s: float) -> bytes:
        """Send function and data, and return those of the answer, whose length is that, unless it refuses.

        Raises:
            OSError: no answer came.
            ValueError: what came is no answer to this.
        """


class Rtu:
    """Frames of address, function, data and checksum; only their length tells where they end."""

    def ask(self, channel: FrameChannel, address: int, request: bytes, length: int, within_s: float) -> bytes:
        """Implement `ModbusLine.ask`."""
        frame = bytes((address, *request))
        channel.write(frame + _crc(frame))

        return channel.first(partial(_answers, frame, 1 + length + 2), within_s)


class ModbusTcp:
    """Frames with a head: the number of the question, and the length."""

    def __init__(self) -> None:
        self._numbers = itertools.cycle(range(1, 0x10000))

    def ask(self, channel: FrameChannel, address: int, request: bytes, length: int, within_s: float) -> bytes:
        """Implement `ModbusLine.ask`."""
        number = next(self._numbers)
        channel.write(struct.pack(">3HB", number, 0, len(request) + 1, address) + request)
        for frame in channel.frames(_tcp_frames, within_s):
            if frame[:2] == number.to_bytes(2):
                if frame[6] != address:
                    raise ValueError(f"address {frame[6]} has answered in place of {address}")
                return frame[HEAD:]
        raise ValueError(f"no answer to question {number} of {length} bytes came")


def _answers(request: bytes, size: int, buffer: bytearray) -> Iterator[bytes | ValueError]:
    """Look for the answer at each byte: before it there may be an echo, or noise."""
    for at in range(len(buffer) - 1):
        refuses = buffer[at + 1] & REFUSED
        frame = bytes(buffer[at : at + (EXCEPTION if refuses else size)])
        if frame[0] == request[0] and frame[1] & ~REFUSED == request[1] and _is_sound(frame, size):
            del buffer[: at + len(frame)]
            yield frame[1:-2]
            return
    if len(buffer) >= min(size, EXCEPTION):
        other = buffer[0] != request[0] and _crc(bytes(buffer[:-2])) == buffer[-2:]
        said = f"address {buffer[0]} has answered" if other else f"{bytes(buffer[:40]).hex(' ')} came"
        yield ValueError(f"{said} in place of an answer with a right checksum")


def _is_sound(frame: bytes, size: int) -> bool:
    """Return whether the checksum is right, and so are the lengths of the frame, and of the data that were read."""
    refuses, reads = frame[1] & REFUSED, frame[1] & ~REFUSED <= INPUT
    if len(frame) != (EXCEPTION if refuses else size) or _crc(frame[:-2]) != frame[-2:]:
        return False
    return bool(refuses) or not reads or frame[2] == size - EXCEPTION


def _tcp_frames(buffer: bytearray) -> Iterator[bytes | ValueError]:
    while len(buffer) > HEAD:
        _number, protocol, size = struct.unpack_from(">3H", buffer)
        if protocol or not 2 <= size <= 260:  # noqa: PLR2004 - the standard's longest
            yield ValueError(f"{bytes(buffer[:HEAD]).hex(' ')} is no head of Modbus TCP")
            buffer.clear()
        elif len(buffer) < size + HEAD - 1:
            return
        else:
            yield bytes(buffer[: size + HEAD - 1])
            del buffer[: size + HEAD - 1]


def _crc(frame: bytes) -> bytes:
    return crc16(frame, initial=0xFFFF).to_bytes(2, "little")


class ModbusSlave:
    """One device, while the connection to it is open within a `with`."""

    def __init__(self, source: Serial | Tcp, line: ModbusLine, address: int, within_s: float) -> None:
        """Open it; other devices may use the bus, too, in turn. `line` is the form of frames there.

        Raises:
            OSError: it cannot be opened.
        """
        self._channel = FrameChannel(source, alone=False)
        self._line, self._address, self._within_s = line, address, within_s
        self.repeated = 0  # questions that were asked again

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.__exit__()

    def registers(self, function: int, first: int, count: int) -> bytes:
        """Return consecutive registers, of two bytes each.

        Raises:
            Refusal: the device does not have them.
            OSError: it does not answer.
            ValueError: what comes is no answer.
        """
        data = self._ask(struct.pack(">BHH", function, first, count), 2 + 2 * count)
        return self._counted(data, 2 * count)

    def bits(self, function: int, first: int, count: int) -> list[bool]:
        """Return consecutive coils or discrete inputs; it raises what `registers` does."""
        size = (count + 7) // 8
        data = self._counted(self._ask(struct.pack(">BHH", function, first, count), 2 + size), size)
        return [bool(data[at // 8] >> at % 8 & 1) for at in range(count)]

    def write(self, register: int, value: int) -> None:
        """Write a holding register; it raises what `registers` does."""
        request = struct.pack(">BHH", WRITE_REGISTER, register, value)
        if self._ask(request, len(request)) != request:
            raise ValueError(f"register {register} was not written: the device confirms something else")

    def _ask(self, request: bytes, length: int) -> bytes:
        for attempt in range(ATTEMPTS):
            try:
                answer = self._line.ask(self._channel, self._address, request, length, self._within_s)
            except (OSError, ValueError) as error:
                if attempt + 1 == ATTEMPTS:
                    raise self._told(error) from None
                self.repeated += 1
                continue
            if answer[0] == request[0] | REFUSED:
                raise Refusal(self._address, answer[1])
            return answer
        raise AssertionError  # the last attempt returns or raises

    def _told(self, error: OSError | ValueError) -> OSError | ValueError:
        """Return an error that names the address, too; one of the port says which port."""
        if isinstance(error, OSError) and error.errno:
            return error
        return type(error)(f"Modbus address {self._address}: {error}")

    def _counted(self, answer: bytes, size: int) -> bytes:
        if len(answer) != size + 2 or answer[1] != size:
            raise ValueError(f"Modbus address {self._address} has answered {len(answer) - 2} bytes, not {size}")
        return answer[2:]
