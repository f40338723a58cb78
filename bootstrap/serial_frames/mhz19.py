"""The Winsen MH-Z19 family of CO2 sensors."""

from bootstrap.device import Reading
from bootstrap.serial_frames.co2_meter import Co2Meter
from bootstrap.serial_frames.fixed_frames import fixed
from bootstrap.serial_frames.frame_channel import FrameChannel
from bootstrap.serial_frames.port_or_host import PortOrHost

ANSWER_S = 1.0
PREHEAT_S = 180.0  # MH-Z19B data sheet, "Preheat time: 3 min"
READ, CALIBRATE_ITSELF = 0x86, 0x79
ON, OFF = 0xA0, 0x00


def checksum(frame: bytes) -> int:
    """Return the last byte of a frame of 9 bytes: the first is not counted."""
    return -sum(frame[1:8]) & 0xFF


ANSWER = fixed(bytes((0xFF, READ)), 9, lambda frame: checksum(frame) == frame[8])


def command(number: int, value: int = 0) -> bytes:
    """Return the frame of a command to sensor 1."""
    frame = bytes((0xFF, 0x01, number, value, 0, 0, 0, 0))
    return frame + bytes((checksum(frame),))


class MhZ19(Co2Meter):
    """One that is asked for its value; until it has been powered for 3 minutes, what it answers is none."""

    def __init__(self, *, autocalibration: bool) -> None:
        super().__init__(PREHEAT_S, autocalibration=autocalibration)

    def answer(self, port: PortOrHost) -> bytes:
        """Return its answer."""
        with FrameChannel(port.source(9600)) as channel:
            channel.write(command(READ))
            answer = channel.first(ANSWER, ANSWER_S)
            if not self._told:  # after its answer, so that it is not busy; this one has none
                channel.write(command(CALIBRATE_ITSELF, ON if self._calibrates else OFF))
                self._told = True
        return answer

    def meant(self, answer: bytes) -> Reading:
        """Return the value."""
        return {"co2": int.from_bytes(answer[2:4])}
