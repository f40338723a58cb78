"""What comes from a far site: how old it is, what is missing of it, and how far its clock is from ours."""

import time
from collections import deque

from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json
from bootstrap.errors import Refused
from bootstrap.history.gaps import Gaps

FEW_SAMPLES = 4  # of messages over a metered link, of which there is one in many minutes
SAMPLES = 20  # heartbeats from which the difference of the clocks is told: the one that was fastest is nearest to it


def _seconds(made: Json) -> float | None:
    """Return a timestamp in seconds since 1970; None if it is none."""
    try:
        return timestamps.parse(made).timestamp() if isinstance(made, str) else None
    except (Refused, OverflowError, OSError):
        return None


class FarTraffic:
    """Notes heartbeats and readings. Ages are in seconds, by our clock; None until there is one."""

    def __init__(self) -> None:
        self._gaps = Gaps()
        self._heartbeat = self._reading = None
        self._ahead: deque[float] = deque()
        self._live: set[str] = set()  # the sensors of which a heartbeat has come since the link is up

    _heartbeat: float | None  # when the newest was made, in seconds since 1970
    _reading: float | None

    @property
    def missed(self) -> int:
        """The readings that are missing between others of their run."""
        return self._gaps.missing

    @property
    def heartbeat_age_s(self) -> float | None:
        """The age of the newest heartbeat of any far sensor."""
        return _age_s(self._heartbeat)

    @property
    def reading_age_s(self) -> float | None:
        """The age of the newest reading of any far sensor."""
        return _age_s(self._reading)

    @property
    def skew_s(self) -> float | None:
        """By how many seconds the far clock is ahead of ours; what a message takes makes it look late."""
        return round(max(self._ahead), 3) if self._ahead else None

    def note_heartbeat(self, sensor: str, heartbeat: Json, *, stored: bool) -> None:
        """Note a heartbeat. One that a broker had stored, here or there, says nothing of the clock.

        Those that the far broker had stored come as if they were live when the link is made: the first of each sensor.
        """
        if not isinstance(heartbeat, dict) or (made := _seconds(heartbeat.get("time"))) is None:
            return
        self._heartbeat = max(made, self._heartbeat or made)
        if not stored and sensor in self._live and heartbeat.get("clock") != "unsure":
            self._note_ahead(made, SAMPLES)
        if not stored:
            self._live.add(sensor)

    def note_link(self) -> None:
        """Note that the link was made anew."""
        self._live.clear()

    def note_clock(self, stamp: str) -> None:
        """Note when a message was made that has come over a metered link."""
        if (made := _seconds(stamp)) is not None:
            self._note_ahead(made, FEW_SAMPLES)

    def _note_ahead(self, made: float, most: int) -> None:
        self._ahead.append(made - time.time())
        while len(self._ahead) > most:
            self._ahead.popleft()

    def note_reading(self, sensor: str, record: Json) -> None:
        """Note a record of the history."""
        match record:
            case {"time": made, "run": str(run), "seq": int(seq)} if (at := _seconds(made)) is not None:
                self._reading = max(at, self._reading or at)
                self._gaps.note_reading(sensor, run, seq)

    def begin_anew(self) -> None:
        """Count no gap of what comes next: our own broker was away, and the recorder alone has what came meanwhile."""
        self._gaps.begin_anew()


def _age_s(made: float | None) -> float | None:
    return None if made is None else round(max(0.0, time.time() - made), 1)
