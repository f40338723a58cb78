"""What moves a bolt: a strike or magnet that is held by power, or a motor that runs for a moment."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from gpiozero import DigitalOutputDevice

from bootstrap.device import Device

DEAD_S = 0.1  # between the two directions of a motor, for relays that are slow to let go
LOOK_S = 0.02  # between two looks at the contact while a motor locks at the end


class Drive(Protocol):
    """Moves the bolt; nothing has power once it is made."""

    @property
    def unlocked(self) -> bool:
        """Whether the last that was asked for is unlocked; of what needs power, whether it is so by its line."""

    def turn(self, *, unlock: bool) -> None:
        """Begin to unlock, or to lock."""

    def go_on(self, *, unlocked: bool) -> None:
        """Take note of how an earlier process has left it."""

    def stop(self) -> None:
        """End a movement: a motor stops, while what is held by power stays as it is."""

    def rest(self) -> None:
        """Spare a coil that has power while it is unlocked."""

    def finish(self, is_locked: Callable[[], bool], longest_s: float) -> None:
        """Lock what would stay unlocked when its process has ended."""


class Strike:
    """A strike or a magnet on one line: with power it is unlocked, or with `fail_safe`, locked."""

    def __init__(self, device: Device, pin: int, *, active_high: bool, fail_safe: bool) -> None:
        self._line = device.own(DigitalOutputDevice(pin, active_high=active_high))
        self._fail_safe = fail_safe

    @property
    def unlocked(self) -> bool:
        """Whether it is unlocked by its line."""
        return bool(self._line.is_active) != self._fail_safe

    def turn(self, *, unlock: bool) -> None:
        """Switch the line."""
        self._line.value = unlock != self._fail_safe

    def go_on(self, *, unlocked: bool) -> None:
        """Do nothing: its line tells."""

    def stop(self) -> None:
        """Leave the line as it is."""

    def rest(self) -> None:
        """Lock, if it is the power that unlocks."""
        if not self._fail_safe:
            self._line.value = False

    def finish(self, is_locked: Callable[[], bool], longest_s: float) -> None:
        """Do nothing: without power it is as it fails."""


class BoltMotor:
    """A motor on two lines, one for each direction, of which never both have power. Without power it stays."""

    def __init__(self, device: Device, unlock_pin: int, lock_pin: int, *, active_high: bool) -> None:
        self._device, self.unlocked, self._has_finished = device, False, False
        self._unlocking = device.own(DigitalOutputDevice(unlock_pin, active_high=active_high))
        self._locking = device.own(DigitalOutputDevice(lock_pin, active_high=active_high))
        self._ran_until = {self._unlocking: -math.inf, self._locking: -math.inf}

    def turn(self, *, unlock: bool) -> None:
        """Stop, and run in this direction, a moment after it has run in the other one."""
        run, other = (self._unlocking, self._locking) if unlock else (self._locking, self._unlocking)
        self.unlocked = unlock
        self.stop()
        wait_s = self._ran_until[other] + DEAD_S - time.monotonic()
        if wait_s > 0:
            self._device.after(wait_s, partial(setattr, run, "value", True), name="drive")
        else:
            run.value = True

    def go_on(self, *, unlocked: bool) -> None:
        """Take note of how an earlier process has left it."""
        self.unlocked = unlocked

    def stop(self) -> None:
        """Take the power from both lines."""
        self._device.cancel("drive")
        for line in self._ran_until:
            if line.is_active:
                line.value = False
                self._ran_until[line] = time.monotonic()

    def rest(self) -> None:
        """Do nothing: it has no power between its movements."""

    def finish(self, is_locked: Callable[[], bool], longest_s: float) -> None:
        """Lock now, if it is not; nothing else runs meanwhile, because the process ends."""
        self.stop()
        was_locked = is_locked()
        if self._has_finished or (was_locked and not self.unlocked):
            return
        self._has_finished = True
        time.sleep(DEAD_S)
        self._locking.value = True
        until = time.monotonic() + longest_s
        while time.monotonic() < until and (was_locked or not is_locked()):  # what has not moved yet proves nothing
            time.sleep(LOOK_S)
        self.stop()


def make_drive(device: Device, pin: int, lock_pin: int | None, *, active_high: bool, fail_safe: bool) -> Drive:
    """Return what moves the bolt: a motor, if there is a line that locks."""
    if lock_pin is not None:
        return BoltMotor(device, pin, lock_pin, active_high=active_high)
    return Strike(device, pin, active_high=active_high, fail_safe=fail_safe)
