"""What is said of a lock, by all that is known of it."""

from dataclasses import dataclass

STATES = ("locked", "unlocking", "unlocked", "locking", "jammed", "unknown")
ALERTS = ("none", "door_open", "jammed", "contact")


@dataclass(frozen=True)
class LockFacts:
    """What is known.

    Attributes:
        thrown: what the contact says of the bolt.
        doubted: whether that contact is not believed.
        unlocked: whether the lock was told to be unlocked last, or has no power and is so then.
        moving: whether the bolt is on its way.
        jammed: whether it was to be locked, and did not get there in time.
        open: whether the door is.
        waiting: whether it is to be locked, once the door is closed.
    """

    thrown: bool
    doubted: bool = False
    unlocked: bool = False
    moving: bool = False
    jammed: bool = False
    open: bool = False
    waiting: bool = False

    @property
    def state(self) -> str:
        """One of `STATES`. It is locked only if nothing contradicts that."""
        if self.moving:
            return "unlocking" if self.unlocked else "locking"
        if self.doubted:
            return "unknown"
        if not self.thrown:
            return "jammed" if self.jammed else "unlocked"
        return "unknown" if self.unlocked or self.open else "locked"

    @property
    def alert(self) -> str:
        """One of `ALERTS`: what somebody should see to."""
        if self.waiting:
            return "door_open"
        return "jammed" if self.jammed else "contact" if self.doubted else "none"
