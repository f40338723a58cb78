"""What is known of the sensors on a broker, kept up to date over a connection that is restored when it breaks."""

from collections.abc import Iterator

from penates.fleet.client import Connected, Disconnected, FleetClient, FleetEvent, MessageReceived
from penates.fleet.fleet_view import Change, FleetView

STATUS = ("state", "about", "heartbeat", "health")


class LiveFleet:
    """A view of the sensors, kept up to date from a client."""

    def __init__(self, client: FleetClient, places: list[str]) -> None:
        self._client, self._places = client, places
        self._subscribed: set[str] = set()
        self.view = FleetView()
        self.down: str | None = "connecting"
        self.refused = False

    def changes(self, wait_s: float, *others: int) -> Iterator[Change]:
        """Yield what has changed. Wait at most `wait_s` seconds, or until one of `others` is readable."""
        for event in self._client.events(wait_s, *others):
            yield from self._handle(event)
        if self.down is None and (new := self.view.declared - self._subscribed):
            self._subscribed |= new
            self._client.subscribe(*sorted(new))

    def _handle(self, event: FleetEvent) -> Iterator[Change]:
        match event:
            case Connected():
                self.down = None
                self._subscribed.clear()
                self._client.subscribe(*(f"{place}/status/{name}" for place in self._places for name in STATUS))
            case Disconnected(why, refused) if not self.refused:
                self.down, self.refused = why, refused
            case MessageReceived(topic, payload, retained, at):
                yield from self.view.receive(topic, payload, retained=retained, at=at)
