"""Frames that all begin with the same bytes and have the same length."""

from collections.abc import Callable, Iterator

from bootstrap.serial_frames.frame_channel import Splitter


def fixed(start: bytes, length: int, is_sound: Callable[[bytes], bool]) -> Splitter:
    """Return what splits such frames from what is between them; `is_sound` tells whether a frame's checksum is right.

    After a wrong one it looks for the next start within it: the start may have been a byte of another frame.
    """

    def split(buffer: bytearray) -> Iterator[bytes | ValueError]:
        while (at := buffer.find(start)) >= 0 and len(buffer) - at >= length:
            frame = bytes(buffer[at : at + length])
            sound = is_sound(frame)
            del buffer[: at + (length if sound else 1)]
            yield frame if sound else ValueError(f"a frame has a wrong checksum: {frame.hex(' ')}")

    return split
