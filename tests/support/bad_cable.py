"""A cable that is slow, late and lossy, in any kernel: each packet passes through this process."""

import fcntl
import os
import random
import select
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from support.networks import CABLE, Cable, Network

SET_INTERFACE, TUN, NO_HEADER = 0x400454CA, 0x1, 0x1000  # TUNSETIFF, IFF_TUN, IFF_NO_PI
WAITS_BYTES = 100_000  # in a direction; beyond that packets are dropped, as by a router


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What each packet suffers: a delay, a loss (a part of 1), and how many bits pass in a second."""

    delay_s: float = 0.0
    loss: float = 0.0
    rate: int


@dataclass
class Direction:
    """The packets from one end to the other one."""

    quality: Quality
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)  # with the moment of arrival
    arrived: list[tuple[float, int]] = field(default_factory=list)  # moments, and bytes
    free_at: float = 0.0  # when the last bit of what waits has been sent

    def take(self, packet: bytes, dice: random.Random) -> None:
        """Send a packet on its way, unless it is lost."""
        now = time.monotonic()
        queued_s = max(0.0, self.free_at - now)
        if dice.random() >= self.quality.loss and queued_s * self.quality.rate / 8 < WAITS_BYTES:
            self.free_at = now + queued_s + len(packet) * 8 / self.quality.rate
            self.waiting.append((self.free_at + self.quality.delay_s, packet))

    def due(self) -> Iterator[bytes]:
        """What has arrived by now."""
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            _, packet = self.waiting.popleft()
            self.arrived.append((time.monotonic(), len(packet)))
            yield packet


class BadCable(Cable):
    """Passes each packet from one network to the other one when its time has come."""

    def __init__(self, **quality: float) -> None:
        """`quality`: see there."""
        self._ways = Direction(Quality(**quality)), Direction(Quality(**quality))  # type: ignore[arg-type]
        self._dice = random.Random(17)
        super().__init__()

    def lay(self) -> None:
        self._devices = [_device(end) for end in self.ends]
        self._over, self._end = os.pipe()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def carried(self, from_end: int, begin: float, end: float) -> int:
        """How many bytes have arrived that are from one end, between two moments."""
        return sum(size for at, size in self._ways[from_end].arrived if begin <= at <= end)

    def _carry(self) -> None:
        while True:
            ready, _, _ = select.select([*self._devices, self._over], [], [], self._wait_s())
            if self._over in ready:
                return
            for device, way in zip(self._devices, self._ways, strict=True):
                if device in ready:
                    with suppress(OSError):  # nobody is there while it is unplugged
                        way.take(os.read(device, 65_536), self._dice)
            for device, way in zip(reversed(self._devices), self._ways, strict=True):
                for packet in way.due():
                    with suppress(OSError):
                        os.write(device, packet)

    def _wait_s(self) -> float | None:
        times = [way.waiting[0][0] for way in self._ways if way.waiting]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def close(self) -> None:
        os.close(self._end)
        self._thread.join()
        for opened in (*self._devices, self._over):
            os.close(opened)
        super().close()


def _device(end: Network) -> int:
    with end.inside():
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, SET_INTERFACE, struct.pack("16sH14x", CABLE.encode(), TUN | NO_HEADER))
    return device
