"""The hours of a day in which a display is lit."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property

from bootstrap.needs import TextSetting

HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class LitTime(TextSetting):
    """From when to when, in local time, such as `07:00-22:30`; it may reach over midnight. ValueError: it is none."""

    def __post_init__(self) -> None:
        if not HOURS.fullmatch(self.text) or self._begin == self._end:
            raise ValueError('two different times of day, such as "07:00-22:30"')

    @cached_property
    def _times(self) -> tuple[time, time]:
        hours = [int(part) for part in re.split("[:-]", self.text)]
        return time(hours[0], hours[1]), time(hours[2], hours[3])

    @property
    def _begin(self) -> time:
        return self._times[0]

    @property
    def _end(self) -> time:
        return self._times[1]

    def covers(self, moment: datetime) -> bool:
        """Return whether it is lit at this local time."""
        now = moment.time()
        if self._begin < self._end:
            return self._begin <= now < self._end
        return now >= self._begin or now < self._end

    def next_change(self, moment: datetime) -> datetime:
        """Return the first local time after this at which that changes. Neither has a zone."""
        days = (moment.date(), moment.date() + timedelta(days=1))
        return min(at for day in days for one in self._times if (at := datetime.combine(day, one)) > moment)
