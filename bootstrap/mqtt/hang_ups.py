"""The request on which a broker hangs up: some close the connection instead of answering what they do not allow."""

from collections.abc import Sequence

FIRST_HOLD_S, LONGEST_HOLD_S = 60.0, 3600.0  # until the broker is asked again
PROVEN, UNPROVEN = 2, 4  # hang-ups in a row on one request, after the broker has answered another one or none before it


def publishing(topic: str) -> str:
    """Return the name of a request to publish."""
    return f"publish {topic}"


def subscribing(one: str) -> str:
    """Return the name of a request to subscribe."""
    return f"subscribe {one}"


class HangUps:
    """Finds the request that is unanswered each time the connection breaks.

    After a short connection that broke with something unanswered, the next one makes one request at a time, so that
    only the request on which the broker hung up remains unanswered. A link that breaks at random leaves another one
    each time.
    """

    def __init__(self) -> None:
        self.cautious = False  # whether to make one request at a time
        self._answered = self._lasted = False  # whether this connection has answered any request, and has lasted
        self._suspect, self._count = "", 0
        self._hold_s: dict[str, float] = {}  # for how long each found request was last set aside

    def opened(self) -> None:
        """Note that a new connection is there."""
        self._answered = self._lasted = False

    def answered(self, request: str) -> None:
        """Note that the broker has answered this request."""
        self._answered = True
        self._hold_s.pop(request, None)
        if request == self._suspect:
            self._suspect, self._count = "", 0

    def steady(self) -> None:
        """Note that the connection lasts: nothing that was asked made the broker hang up."""
        self.cautious, self._lasted = False, True
        self._suspect, self._count = "", 0

    def broken(self, unanswered: Sequence[str]) -> str | None:
        """Note that the connection broke with these requests unanswered. Returns the one to set aside, once known."""
        cautious, self.cautious = self.cautious, bool(unanswered) and not self._lasted
        if again := next((one for one in unanswered if one in self._hold_s), None):
            return again
        if not cautious or len(unanswered) != 1:
            return None
        self._count = self._count + 1 if unanswered[0] == self._suspect else 1
        self._suspect = unanswered[0]
        return self._suspect if self._count >= (PROVEN if self._answered else UNPROVEN) else None

    def hold_s(self, request: str) -> float:
        """Return for how many seconds to set this request aside: twice as long as the last time."""
        before = self._hold_s.get(request)
        self._hold_s[request] = min(LONGEST_HOLD_S, before * 2) if before else FIRST_HOLD_S
        return self._hold_s[request]
