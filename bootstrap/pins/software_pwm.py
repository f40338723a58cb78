"""Pulse-width modulation in a thread, for pins without hardware support."""

import threading
from collections.abc import Callable

RETRY_S = 1.0  # after a level that the line did not take


class SoftwarePwm:
    """Switches an output `frequency` times per second, on for `duty` of each period. Good for lamps, not for servos."""

    def __init__(self, write: Callable[[bool], None], frequency: float, duty: float = 0.0) -> None:
        self._write = write
        self.frequency = frequency
        self.duty = duty
        self._changed = threading.Event()
        self._ending = False
        self._failed: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="pwm", daemon=True)
        self._thread.start()

    def set(self, duty: float) -> None:
        """Apply `duty` from the next period on. At 0 and 1, nothing switches and the thread sleeps.

        Raises:
            OSError: the line did not take the last level. It is tried again, with this duty.
        """
        self.duty = duty
        self._changed.set()
        if (failed := self._failed) is not None:
            raise OSError(failed.errno, failed.strerror)

    def _run(self) -> None:
        while True:
            self._changed.clear()  # before reading, so that a later change is not missed
            if self._ending:
                return
            duty, period = self.duty, 1 / self.frequency
            for level, seconds in ((True, duty * period), (False, (1 - duty) * period)):
                if seconds > 0 and self._changed.wait(self._wait_s(level, seconds, period)):
                    break

    def _wait_s(self, level: bool, seconds: float, period: float) -> float | None:
        """Set the line, and return for how long to leave it so; None until something changes."""
        try:
            self._write(level)
        except OSError as error:
            self._failed = error
            return RETRY_S
        self._failed = None
        return None if seconds >= period else seconds

    def close(self) -> None:
        """Stop switching. The output is then off, unless its duty was 1."""
        self._ending = True
        self._changed.set()
        self._thread.join()
        self._write(self.duty >= 1)
