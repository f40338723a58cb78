"""Whether a phone is here, which sleeps, and then does not answer for minutes."""

from bootstrap.lan.arp_watch import ArpWatch
from bootstrap.lan.last_seen import LastSeen


class PhoneWatch:
    """Watches one phone."""

    def __init__(self, arp: ArpWatch, mac: str | None, seen: LastSeen) -> None:
        """Take no other hardware address than `mac` for the phone's, if that is known."""
        self._arp, self._mac, self.seen = arp, mac, seen

    def look(self) -> bool | None:
        """Ask the phone, and return whether it is here; None as long as nobody can know.

        Raises:
            OSError: nobody can look. Such a time is none of absence.
            ValueError: the phone is not in a network of this machine.
        """
        try:
            answered = self._arp.look()
        except LookupError:
            return self.seen.present
        except (OSError, ValueError):
            self.seen.note_blindness()
            raise
        return self.seen.note(seen=answered is not None and answered == (self._mac or answered).lower())
