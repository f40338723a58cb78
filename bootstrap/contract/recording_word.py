"""The retained word of a recorder that it records, by which sensors know whether their readings are kept."""

from collections.abc import Sequence

from bootstrap.contract import timestamps
from bootstrap.contract.payload import decode, encode
from bootstrap.contract.topic_filters import covers
from bootstrap.errors import Refused

NAME = "recording"  # below a recorder's `status`
FILTER = f"+/+/status/{NAME}"
ALL_GROUPS = "+"
NOT_RECORDING = encode({"recording": False})


def recording_word(groups: Sequence[str], *, recording: bool) -> bytes:
    """Return the payload by which a recorder of these groups says whether it receives and stores readings."""
    return encode({"time": timestamps.now(), "recording": recording, "groups": [*groups]})


class KnownRecorders:
    """The recorders that say that they record the readings of one group."""

    def __init__(self, group: str = "", *, wanted: bool = False) -> None:
        """Look for recorders of this group. `wanted` means that a recorder must receive each reading."""
        self._group, self.wanted = group, wanted
        self._recording: set[str] = set()  # their topics

    @property
    def missing(self) -> bool:
        """Whether a recorder is wanted, and none says that it records."""
        return self.wanted and not self._recording

    def note(self, topic: str, payload: bytes) -> bool:
        """Note what a recorder says, if this is its topic, which is returned. What cannot be read is no promise."""
        if not covers(FILTER, topic):
            return False
        (self._recording.add if self._promises(payload) else self._recording.discard)(topic)
        return True

    def _promises(self, payload: bytes) -> bool:
        try:
            match decode(payload):
                case {"recording": True, "groups": [*groups]}:
                    return ALL_GROUPS in groups or self._group in groups
                case {"recording": True, **others}:
                    return "groups" not in others
        except Refused:
            pass
        return False

    def clear(self) -> None:
        """Forget them all: on the next connection the broker repeats what they say now."""
        self._recording.clear()
