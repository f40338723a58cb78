"""A fault between two sites, and the promise that is kept or not at both."""

import time
from typing import Generic

from support.faults.promises import Promise, Verdict
from support.sites import AnySites, Counted
from support.world import eventually


class LinkCut(Generic[AnySites]):
    """What the world does to the link of two sites, and what it costs."""

    def __init__(self, sites: AnySites, promise: Promise) -> None:
        self.sites, self.promise = sites, promise
        self.verdict: Verdict | None = None
        self._well_at, self._until_well = time.monotonic(), dict[str, int]()

    def well(self) -> None:
        """From now on there is nothing wrong with the world."""
        self._well_at, self._until_well = time.monotonic(), self.sites.made()

    def finish(self) -> None:
        """Wait until both recorders have everything, compare, and hold the promise against it."""
        self._all_have(self._until_well)
        recovered_s = self._rest()
        self._all_have(self.sites.made())
        found = self._compare(recovered_s)
        assert all(one.made == one.recorded for one in found), found

    def finish_with(self, least: dict[str, int]) -> None:
        """Wait until both have so many readings of each sensor and the newest one; what is between may be lost."""
        self._all_have(least)
        recovered_s = self._rest()
        for site in self.sites.both:
            eventually(lambda: site.newest() == self.sites.made(), f"{site.name} has the newest")  # noqa: B023
        self._compare(recovered_s)

    def _rest(self) -> float:
        """Have the sensors read nothing more; return the seconds since all was well."""
        recovered_s = time.monotonic() - self._well_at
        for site in self.sites.both:
            site.rest()
        return recovered_s

    def _compare(self, recovered_s: float) -> list[Counted]:
        eventually(self.sites.same, "both brokers tell a newcomer the same of both sites")
        found = [site.count(self.sites.made()) for site in self.sites.both]
        lost, duplicated, disordered = (sum(numbers) for numbers in zip(*(one[2:] for one in found), strict=True))
        self.judge(Verdict(lost, duplicated, disordered, 0, round(recovered_s, 1)), str(found))
        return found

    def judge(self, verdict: Verdict, facts: str) -> None:
        """Hold the promise against what was measured, and note that it was kept."""
        self.promise.hold(verdict, facts)
        self.verdict = verdict

    def _all_have(self, wanted: dict[str, int]) -> None:
        for site in self.sites.both:
            eventually(lambda: site.has(wanted), f"the recorder at {site.name} has all")  # noqa: B023
