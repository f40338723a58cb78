"""A chip that was without power, and has forgotten that it is to measure, or how."""

import errno
from collections.abc import Mapping
from pathlib import Path

from bootstrap.device import Failure

ASLEEP = (
    "it says 0 since it was silent: without power it forgets that it is to measure, of which its driver reminds it at a"
    " restart of the machine only"
)

CONFUSED = "it was silent, perhaps without power, and may measure wrongly until its driver begins anew: "


class PowerLoss:
    """Tell what such a chip says from what one says that measures."""

    def __init__(self) -> None:
        self._silent_in: int | None = None  # the driver's folder in which it was silent; the driver makes a new one

    def suspected(self, folder: Path, sample: Mapping[str, object]) -> bool:
        """Return whether all is 0 since a failure, and its driver has not begun again. OSError: it is gone."""
        now = folder.stat().st_ino
        if any(isinstance(value, Failure) for value in sample.values()):
            self._silent_in = now
        elif any(sample.values()):
            self._silent_in = None
        return self._silent_in == now and not any(sample.values())

    def confused(self, folder: Path, sample: Mapping[str, object]) -> bool:
        """Return whether it did not answer, now or before, and its driver has not begun again. OSError: it is gone."""
        now = folder.stat().st_ino
        if any(isinstance(value, OSError) and value.errno != errno.ENOENT for value in sample.values()):
            self._silent_in = now
        return self._silent_in == now
