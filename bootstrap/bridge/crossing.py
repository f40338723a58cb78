"""Commands between two sites, and their answers: over the connection of the daemon that can call the other site."""

from typing import TYPE_CHECKING

from bootstrap.bridge.commands_across import CommandsAcross
from bootstrap.bridge.far_states import Flow
from bootstrap.bridge.fetched_commands import FetchedCommands
from bootstrap.bridge.settings import FarBrokerSettings, presence_of
from bootstrap.contract.heard import Heard, Silence
from bootstrap.contract.other_broker import OtherAddress, OtherBrokerHandle
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Kind
from bootstrap.device import Context

if TYPE_CHECKING:
    from bootstrap.bridge.far_site import FarSite


class Crossing:
    """Delivers commands to the far site, fetches those from there, and carries the answers."""

    def __init__(
        self, context: Context, settings: FarBrokerSettings, link: str, groups: tuple[list[str], list[str]]
    ) -> None:
        """Use the bridge whose notification is `link`. `groups` are those of the far site, and our own."""
        self._context, self._settings, self._link = context, settings, link
        self._groups, self._own_groups = groups
        self._presence: bool | None = None  # whether the far site fetches commands here, as far as it says
        self._far: OtherBrokerHandle | None = self._call() if settings.hosts else None
        self._fetched = FetchedCommands(context.tell, self._far) if self._far and settings.fetch else None
        deliver = self._far.tell if self._far else context.tell  # here again, with an expiry, for the far site to fetch
        timers = context.after, context.cancel
        self._commands = CommandsAcross(deliver, self._no_way, context.tell, timers, fetched=not self._far)
        self._commands.needs_expiry = self._needs_expiry
        self.site: FarSite  # is set before anything is heard

    @property
    def undelivered(self) -> int:
        """How many commands did not reach the far site."""
        return self._commands.undelivered

    def listen(self) -> None:
        """Listen to the commands to far sensors, and to what is needed for them."""
        if not self._far:
            self._context.listen(presence_of(self._link), self._on_presence, self._on_presence_unknown)
        for group in self._groups:
            self._context.listen(f"{group}/+/{Kind.ACTION}/+", self._on_command)
        for group in self._own_groups if self._fetched else ():
            self._context.listen(f"{group}/+/{Kind.STATUS}/{Kind.ACTION}", self._on_own_answer)

    def close(self) -> None:
        """Leave the far broker."""
        if self._far:
            self._far.close()

    def _call(self) -> OtherBrokerHandle:
        settings = self._settings
        address = OtherAddress(
            hosts=settings.hosts,
            port=settings.port,
            client_id=f"{self._context.sensor}/bridge",
            keepalive_s=settings.keepalive_s,
            ca_file=settings.ca_file,
            username=settings.username,
            password_file=settings.password_file,
            presence=presence_of(self._link) if settings.fetch else "",
        )
        answers = [f"{group}/+/{Kind.STATUS}/{Kind.ACTION}" for group in self._groups]
        filters = [*answers, *(f"{group}/+/{Kind.ACTION}/+" for group in self._own_groups if settings.fetch)]
        return self._context.other_broker(address, filters, self._on_far_message, self._on_far_broker)

    # Whether there is a way.

    def _no_way(self) -> str | None:
        """Return why no command can be delivered now, or None."""
        if self._far:
            return self._far.trouble
        if self._presence is None and not self._link_is_up():
            return f"the link is down since {self.site.link.since}"
        return "the far site does not fetch commands now" if self._presence is False else None

    def _needs_expiry(self, sensor: str, action: str) -> bool | None:
        return self.site.retained.needs_expiry(sensor, action)

    def _link_is_up(self) -> bool:
        return self.site.link.flow is Flow.UP

    def _on_presence(self, heard: Heard) -> None:
        self._presence = heard.payload == b"1"

    def _on_presence_unknown(self, _silence: Silence) -> None:
        """Forget it: our own broker is away, or the word was cleared."""
        self._presence = None

    def _on_far_broker(self, trouble: str | None) -> None:
        """Show in our own state that commands cannot be delivered, and doubt whether the bridge is up."""
        if trouble:
            self.site.link.on_doubt()
        self._context.set_problem("far broker", trouble and f"no commands can cross: {trouble}")

    # What crosses.

    def _on_command(self, heard: Heard) -> None:
        """Deliver a command to a far sensor."""
        self._commands.on_command(heard.topic, heard.payload, retained=heard.retained)

    def _on_far_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """Bring the answer of a far sensor here, or a command to one of ours."""
        if f"/{Kind.ACTION}/" in topic:
            if self._fetched:
                self._fetched.on_command(topic, payload, retained=retained)
        elif not retained:
            self._context.tell(topic, payload)

    def _on_own_answer(self, heard: Heard) -> None:
        """Bring the far site the answer of one of our sensors."""
        if self._fetched and not heard.retained:
            self._fetched.answer(heard.topic, heard.payload)

    def on_far_answer(self, sensor: str, answer: Json) -> None:
        """Note the answer of a far sensor, which we or the far site's daemon have brought here."""
        self._commands.on_answer(sensor, answer)
