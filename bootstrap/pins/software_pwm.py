"""Pulse-width modulation in a thread, for pins without hardware support."""

import threading
from collections.abc import Callable


class SoftwarePwm:
    """Switches an output `frequency` times per second, on for `duty` of each period. Good for lamps, not for servos."""

    def __init__(self, write: Callable[[bool], None], frequency: float, duty: float = 0.0) -> None:
        self._write = write
        self.frequency = frequency
        self.duty = duty
        self._changed = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="pwm", daemon=True)
        self._thread.start()

    def set(self, duty: float) -> None:
        """Apply `duty` from the next period on. At 0 and 1, nothing switches and the thread sleeps."""
        self.duty = duty
        self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.clear()  # before reading, so that a later change is not missed
            if self._ending:
                return
            duty, period = self.duty, 1 / self.frequency
            for level, seconds in ((True, duty * period), (False, (1 - duty) * period)):
                if seconds > 0:
                    self._write(level)
                    if self._changed.wait(None if seconds >= period else seconds):
                        break

    def close(self) -> None:
        """Stop switching. The output is then off, unless its duty was 1."""
        self._ending = True
        self._changed.set()
        self._thread.join()
        self._write(self.duty >= 1)
