"""A socket that hears and says nothing: what is known of it is what it was last told."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from bootstrap.contract.commands import only
from bootstrap.contract.heard import Heard
from bootstrap.contract.payload import Json
from bootstrap.device import Measure, Reading, Value, takes
from bootstrap.errors import NoReading, Refused
from bootstrap.gateway import Adopted
from bootstrap.needs import TopicFilter
from bootstrap.radio.socket_protocols import SocketCode

ASSUMED, HEARD = "assumed", "heard"


@dataclass(kw_only=True)
class RadioSocket(Adopted):
    """A socket that is switched by radio."""

    code: SocketCode  # protocol and code, such as "kaku 12345678 1", "kaku-old A1" or "elro 11001 B"
    confirm: TopicFilter | None = None  # where our own receiver publishes what it hears of the code
    every_s: float = 3600.0

    identity: ClassVar = ("code",)
    is_heard: ClassVar = False

    on = Measure(bool, assumed=True)  # as last commanded
    evidence = Measure(str, words=(ASSUMED, HEARD))  # of `on`: nothing but the command, or our receiver has heard it

    @property
    def key(self) -> dict[str, Value]:
        """The code by which it is known."""
        return {"code": str(self.code)}

    def setup(self) -> None:
        """Remember what it was told last, and listen to what may confirm that."""
        self.last = self.keep("last", dict[str, Any]())
        if self.confirm is not None:
            self.listen(self.confirm, self.on_confirmation)

    @takes("on", "off", "toggle", sets="on", keys=("state",))
    def act_set(self, value: Json) -> Reading | None:
        """Switch it. What it shows follows once that was sent."""
        word = only(value, "state")
        if word == "toggle" and not self.last.value:
            raise Refused("nobody knows whether it is on; send on or off")
        on = not self.last.value["on"] if word == "toggle" else word == "on"
        self.gateway.air.send(self.code.frame(on=on), partial(self._show, on))
        return None

    def _show(self, on: bool, sent: bool) -> None:
        """Publish what it was told; if that was not sent, what it was told before, as others may believe it is so."""
        if sent:
            self.gateway.publish(self, self.told(ASSUMED, on=on))
        elif self.last.value:
            self.gateway.publish(self, self.read())

    def told(self, evidence: str, *, on: bool) -> Reading:
        """Keep what it was told, and return that."""
        self.last.value = {"on": on, "evidence": evidence}
        return self.read()

    def on_confirmation(self, heard: Heard) -> Reading | None:
        """Note what our receiver has heard: the command, or that of a remote in somebody's hand."""
        if heard.retained or (on := TRUTHS.get(str(heard.value).lower())) is None:
            return None
        return self.told(HEARD, on=on)

    def read(self) -> Reading:
        """Return what it was told last."""
        if not self.last.value:
            raise NoReading
        return dict(self.last.value)


TRUTHS: Mapping[str, bool] = {"on": True, "true": True, "off": False, "false": False}
