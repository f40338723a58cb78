"""How long a device has been silent, as far as that says anything of it."""

import time


class LastHeard:
    """When a device was heard last (`at`, monotonic, in seconds), or could at last be heard again."""

    def __init__(self, silent_s: float) -> None:
        """It may be silent for so many seconds, from now on."""
        self._silent_s = silent_s
        self._deaf = False
        self.at = time.monotonic()

    def note(self) -> None:
        """Take notice that it was heard."""
        self.at = time.monotonic()

    def deafen(self) -> None:
        """Take notice that nothing can be heard."""
        self._deaf = True

    def forgive(self, *, deaf: bool) -> None:
        """Count from now on if nothing could be heard before, or can be now: the device is not to blame."""
        if deaf or self._deaf:
            self.note()
        self._deaf = deaf

    @property
    def left_s(self) -> float:
        """For how long it may go on being silent; not positive if it was silent for too long."""
        return self.at + self._silent_s - time.monotonic()
