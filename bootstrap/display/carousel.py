"""Which of several screens is shown: pages in turn, and before them the alerts."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Turning:
    """Some screens, of which one is shown after the other."""

    count: int
    at: int = 0

    def step(self, by: int) -> None:
        """Go on by so many, from the last to the first."""
        self.at = (self.at + by) % self.count if self.count else 0


class Carousel:
    """Pages in turn. While there are alerts, these in turn; a new one first."""

    def __init__(self, pages: int) -> None:
        self._pages, self._alerts = Turning(pages), Turning(0)
        self._names: list[object] = []

    def set_alerts(self, names: Sequence[object]) -> bool:
        """Set which alerts there are, each by a name of its own; return whether they are others than before."""
        before, self._names = self._names, [*names]
        new = [at for at, name in enumerate(names) if name not in before]
        self._alerts.count = len(names)
        if new:
            self._alerts.at = new[-1]
        elif self._alerts.at >= len(names):
            self._alerts.at = 0
        return before != self._names

    @property
    def page(self) -> int:
        """The page, from 0 on, which is or would be shown."""
        return self._pages.at

    @property
    def alert(self) -> int | None:
        """Which alert is shown, or None."""
        return self._alerts.at if self._names else None

    @property
    def turns(self) -> bool:
        """Whether there is more than one to show."""
        return self._shown.count > 1

    @property
    def _shown(self) -> Turning:
        return self._alerts if self._names else self._pages

    def step(self, by: int = 1) -> None:
        """Show the next one, or the one so many after it."""
        self._shown.step(by)

    def choose(self, page: int) -> None:
        """Show this page, from 0 on, once there is no alert."""
        self._pages.at = page
