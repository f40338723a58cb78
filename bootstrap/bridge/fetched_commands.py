"""Commands to our own sensors that the far site cannot bring: they are fetched from its broker, and answered there."""

from collections.abc import Callable
from functools import partial

from bootstrap.contract.commands import ActionCommand, Outcome, answer
from bootstrap.contract.other_broker import OtherBrokerHandle
from bootstrap.contract.payload import Json, encode
from bootstrap.contract.topics import Kind
from bootstrap.device import Reading, ThenTold
from bootstrap.errors import Refused


class FetchedCommands:
    """Passes commands on to our broker, and answers back to the far one.

    A command without an expiry may have waited in a connection that is cut, for nobody knows how long. So it is left
    to the bridge of the far site, which publishes it again with one.
    """

    def __init__(self, tell: Callable[[str, bytes, ThenTold], None], far: OtherBrokerHandle) -> None:
        """Publish here by `tell(topic, payload, then)`."""
        self._tell, self._far = tell, far

    def on_command(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Pass a command on, if it says until when it may be executed."""
        try:
            command = ActionCommand.parse(payload)
        except Refused:
            return
        if not retained and command.before is not None:
            self._tell(topic, payload, partial(self._told, topic, command.id))

    def _told(self, topic: str, identity: Json, outcome: Outcome, why: str) -> Reading | None:
        if outcome != "sent":
            sensor, _, action = topic.partition(f"/{Kind.ACTION}/")
            said = encode(answer(action, identity, "undelivered", why))
            self.answer(f"{sensor}/{Kind.STATUS}/{Kind.ACTION}", said)
        return None

    def answer(self, topic: str, payload: bytes) -> None:
        """Publish an answer, as that of one of our own sensors, at the far broker."""
        self._far.tell(topic, payload, lambda _outcome, _why: None)
