"""A line that the Pi's own PWM drives, through the kernel's files in /sys.

What is set there stays when the process ends, however it ends: the channel goes on by itself.
"""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import reason
from bootstrap.pins.header_pwm import PwmChannel, find_channel
from bootstrap.pins.unwritten_outputs import ignore
from bootstrap.sysfs import set_content

NANOSECONDS = 1_000_000_000
READY_S = 2.0  # until udev has given the files of a channel that was just exported to its group
POLL_S = 0.02
NORMAL = "normal"
LAG = 0.005  # part of a period by which a driver may round
NO_RIGHT = "sudo penates install, and restart its unit"


@dataclass(frozen=True)
class PwmState:
    """What a channel does: its period and the part of that at which it is high, in nanoseconds."""

    period: int
    duty: int
    enabled: bool = True
    polarity: str = NORMAL

    @property
    def high(self) -> float:
        """The part of the time at which the line is high."""
        return self.duty / self.period if self.period else 0.0

    def does(self, other: "PwmState") -> bool:
        """Return whether it is what another one wants, but for rounding."""
        alike = (self.enabled, self.polarity) == (other.enabled, other.polarity)
        near = abs(self.period - other.period) <= LAG * other.period and abs(self.high - other.high) <= LAG
        return alike and near


def changes(now: PwmState, then: PwmState) -> Iterator[tuple[str, str]]:
    """Yield the files to write, with their content, in an order that the kernel accepts.

    It refuses a period shorter than the time at which the line is high, and, of most drivers, another polarity while a
    channel is enabled. Only in that odd case the channel is off for a moment.
    """
    if now.polarity != then.polarity:
        if now.enabled:
            yield "enable", "0"
        yield "duty_cycle", "0"
        yield "polarity", then.polarity
        now = PwmState(now.period, 0, enabled=False)
    if then.period < now.period:
        yield "duty_cycle", str(then.duty)
        yield "period", str(then.period)
    else:
        if then.period > now.period:
            yield "period", str(then.period)
        yield "duty_cycle", str(then.duty)
    if not now.enabled:
        yield "enable", "1"


def renewal(now: PwmState) -> Iterator[tuple[str, str]]:
    """Yield what to write so that a line does what its files say, without a pause.

    The kernel keeps the files' content while a channel is given back and exported again, but the line is off then; and
    it passes nothing on to the driver that is the same as before. So the line is made to differ by a nanosecond.
    """
    if now.enabled and now.period:
        yield "duty_cycle", str(now.duty - 1 if now.duty else 1)


class HardwarePwm:
    """One line; `value` is the part of the time at which it is on, from 0 to 1, as was set last.

    `active_high=False` is done by the numbers, and the channel is never disabled or given back to the kernel: a line
    that is disabled is low on a Pi, which would switch on what is on at 0, and stop a fan that is to run.
    """

    def __init__(self, sysfs: Path, line: int, frequency_hz: float, *, active_high: bool, value: float) -> None:
        """Have the line do `value` from now on. OSError: the kernel has no PWM on it, or does not let us."""
        self.channel: PwmChannel = find_channel(sysfs, line)
        self.closed = False
        self.on_unwritten = ignore
        self._period, self._active_high = round(NANOSECONDS / frequency_hz), active_high
        self._value = value
        self._export()
        self._wait(os.W_OK)
        self._renew()

    @property
    def value(self) -> float:
        """The part of the time at which the line is on."""
        return self._value

    @value.setter
    def value(self, value: float) -> None:
        self._value = value
        try:
            (self._set if self._made == self._was_made else self._renew)()
        except OSError as error:
            self.on_unwritten(str(error))
            raise

    def close(self) -> None:
        """Leave the line as it is."""
        self.closed = True

    def verify(self) -> None:
        """Do nothing if the line does what was set.

        Raises:
            OSError: it did not, because of another program; it does so again, or the message says why not.
        """
        if not self.channel.folder.is_dir() or self._was_made != self._made:
            self._export()
            self._renew()
            raise OSError(f"something has taken {self.channel} away; it was exported again, and set")
        if not (found := self._state()).does(self._wanted):
            self._renew()
            raise OSError(f"something has changed {self.channel} ({_shown(found)}); it was set again")

    @property
    def _wanted(self) -> PwmState:
        high = self._value if self._active_high else 1 - self._value
        return PwmState(self._period, round(self._period * high))

    @property
    def _made(self) -> int:
        """What tells the folder of one export from that of another."""
        return self.channel.folder.stat().st_ino

    def _renew(self) -> None:
        """Set the line, whatever it does in truth. It counts as ours only once all of that has succeeded."""
        made, self._was_made = self._made, 0
        for name, text in renewal(self._state()):
            self._write(self.channel.folder / name, text)
        self._set()
        self._was_made = made

    def _set(self) -> None:
        for name, text in changes(self._state(), self._wanted):
            self._write(self.channel.folder / name, text)

    def _state(self) -> PwmState:
        read = {name: self._read(name) for name in ("period", "duty_cycle", "enable", "polarity")}
        try:
            period, duty, enabled = (int(read[name]) for name in ("period", "duty_cycle", "enable"))
        except ValueError:
            raise OSError(f"{self.channel}: its files hold {read}, which are not numbers") from None
        return PwmState(period, duty, enabled=bool(enabled), polarity=read["polarity"])

    def _read(self, name: str) -> str:
        try:
            return (self.channel.folder / name).read_text(encoding="ascii").strip()
        except OSError as error:
            raise OSError(error.errno, f"{self.channel}: {reason(error)}") from None

    def _write(self, file: Path, text: str) -> None:
        try:
            set_content(file, text.encode())
        except OSError as error:
            raise OSError(error.errno, self._why(file, text, error)) from None

    def _why(self, file: Path, text: str, error: OSError) -> str:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return f"may not write {file}: {NO_RIGHT}"
        if error.errno == errno.EBUSY and file.name == "export":
            return f"{self.channel} is in use by a driver of the kernel, such as that of a fan or of the sound"
        return f"{self.channel} does not take {text} in {file.name}: {error.strerror}"

    def _export(self) -> None:
        """Have the kernel make the files of the channel."""
        if not self.channel.folder.is_dir():
            self._write(self.channel.chip / "export", str(self.channel.number))
            self._wait(os.F_OK)

    def _wait(self, wanted: int) -> None:
        """Wait a little until the files are there (`os.F_OK`), or we may write them (`os.W_OK`)."""
        end = time.monotonic() + READY_S
        while not os.access(self.channel.folder / "duty_cycle", wanted) and time.monotonic() < end:
            time.sleep(POLL_S)


def _shown(found: PwmState) -> str:
    off = "" if found.enabled else ", disabled"
    other = "" if found.polarity == NORMAL else f", {found.polarity}"
    return f"{found.duty} of {found.period} ns{off}{other}"
