"""Whether the contact at a bolt can be believed."""

from bootstrap.chatter import CHATTER, CHATTER_S, Chatter

CHATTERS = f"the bolt contact has changed {CHATTER} times within {CHATTER_S:g} s"
STUCK = "the bolt contact has shown a thrown bolt although it was to be unlocked: it, or the bolt, is stuck"
PROVE = "it is believed again once it has followed an unlocking and a locking"


class BoltContact:
    """Doubts a contact that contradicts what was done, until it has followed an unlocking and a locking again.

    Attributes:
        doubt: why it is not believed; empty if it is.
        has_followed: whether it has shown the last unlocking.
    """

    def __init__(self, doubt: str) -> None:
        """Begin with the doubt of an earlier process, or none."""
        self.doubt = doubt
        self._chatter = Chatter()
        self.has_followed = not doubt

    def note_change(self, now: float) -> None:
        """Note that it has changed, at a monotonic time in seconds."""
        self._chatter.note(now)
        if self._chatter.lasts(now):
            self.doubt, self.has_followed = f"{CHATTERS}; {PROVE}", False

    def begin_unlocking(self) -> None:
        """Expect it to show a bolt that is withdrawn."""
        self.has_followed = False

    def end_unlocking(self, *, thrown: bool) -> None:
        """Compare what it shows after an unlocking, or before the end of that."""
        self.has_followed = not thrown
        if thrown:
            self.doubt = f"{STUCK}; {PROVE}"

    def end_locking(self, *, thrown: bool) -> None:
        """Compare what it shows after a locking: if it has never shown the unlocking before that, it proves nothing."""
        if not thrown:
            return
        if self.has_followed:
            self.doubt = ""
        elif not self.doubt:
            self.doubt = f"{STUCK}; {PROVE}"
