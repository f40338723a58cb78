"""What was done last to a lock: what, for whom, when, and how it ended."""

from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json
from bootstrap.device import Kept

OPEN = "the door is open"
OVERTAKEN = "something else was asked for"
KEYS = ("what", "by", "time", "ended")
STOPPED = "not known: the sensor was stopped"


class LastDone:
    """Keeps what was done last, also over a restart. It is empty as long as nothing was."""

    def __init__(self, kept: Kept[dict[str, Json]]) -> None:
        """Go on with what an earlier process has kept. How that ended, if it was under way, is not known."""
        self._kept = kept
        if self.value and not {*KEYS} <= self.value.keys():
            self._kept.value = {}  # what another kind of device has kept by this name
        if self.goes_on:
            self._kept.value = {**self.value, "ended": STOPPED}

    @property
    def value(self) -> dict[str, Json]:
        """What it is: `what`, `by`, `time`, and how it has `ended`, or null."""
        return self._kept.value

    @property
    def is_cut_short(self) -> bool:
        """Whether it is an unlocking, and the process ended before anybody knew how far that had come."""
        return self.value.get("what") == "unlock" and self.value["ended"] == STOPPED

    @property
    def waits_for_door(self) -> bool:
        """Whether it waits for the door to be closed."""
        return self.value.get("ended") == OPEN

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended yet."""
        return bool(self.value) and self.value["ended"] in (None, OPEN)

    def begin(self, what: str, by: str | None) -> dict[str, Json]:
        """Note what is done now. Return the one before it, if that ends by this; else an empty object."""
        before = {**self.value, "ended": OVERTAKEN} if self.goes_on and not self.waits_for_door else {}
        self._kept.value = {"what": what, "by": by, "time": timestamps.now(), "ended": None}
        return before

    def end(self, how: str) -> dict[str, Json]:
        """Note how it has ended. Return it, or an empty object if it had ended before, or so."""
        if not self.goes_on or self.value["ended"] == how:
            return {}
        self._kept.value = {**self.value, "ended": how}
        return self.value
