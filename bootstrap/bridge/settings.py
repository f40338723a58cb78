"""The settings of a bridge: types that say what is allowed, and which topics the broker must let it hear and write."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from bootstrap.config.model import Id, a_certificate, a_prefix
from bootstrap.contract.sites import HEARTBEATS, THINNED
from bootstrap.device import Seconds
from bootstrap.limits import Limits
from bootstrap.needs import Declares, Host, Listened, Need, Told, a_topic


def presence_of(link: str) -> str:
    """Return the topic that says, beside the link's notification, whether the calling site fetches commands."""
    return f"{link.rpartition('/')[0]}/commands"


def _a_link(text: str) -> None:
    a_topic(text)
    if "/" not in text:
        raise ValueError("the topic of a bridge's notification, such as penates-bridge/cabin/state")


def _far(group: str) -> Iterable[Need]:
    own = [f"{group}/+/status/+", f"{group}/+/data/#", f"{group}/+/action/+"]
    return [*(Listened(one) for one in own), *(Told(f"{group}/+/{kind}/+") for kind in ("status", "data", "action"))]


def _own(group: str) -> Iterable[Need]:
    told = ("status/question", "status/answer", f"status/{HEARTBEATS}", "action/+")
    listened = ("status/state", "status/action", *(f"status/{name}" for name in THINNED))
    return [*(Listened(f"{group}/+/{one}") for one in listened), *(Told(f"{group}/+/{one}") for one in told)]


FarGroup: TypeAlias = Annotated[Id, Declares(_far, "group of the far site")]
OwnGroup: TypeAlias = Annotated[Id, Declares(_own, "group of this site")]
LinkTopic: TypeAlias = Annotated[
    str,
    _a_link,
    Declares(lambda text: [Listened(text), Listened(presence_of(text))], "topic of the bridge's notification"),
]
Prefix: TypeAlias = Annotated[
    str, a_prefix, Declares(lambda text: [Told(f"{text}/device/+/config")], "Home Assistant's prefix")
]


@dataclass(kw_only=True)
class FarBrokerSettings:
    """How to reach the far broker, for commands."""

    # The far broker, for commands, such as "home.example". Without it, the far site fetches them from here.
    host: Host | list[Host] | None = None
    port: Annotated[int, Limits(1, 65_535)] = 8883  # of the far broker
    ca_file: Annotated[Path, a_certificate] | None = None  # the far broker's CA, which turns TLS on
    username: str | None = None  # our user at the far broker
    password_file: Path | None = None  # the file with its password in the first line
    fetch: bool = True  # commands from there, too, because the far site cannot call us
    # Seconds between heartbeats that cross a metered link; 0: as they come. To be set at the site that calls.
    heartbeats_every_s: Seconds = 0.0
    keepalive_s: Annotated[int, Limits(2, 3600)] = 20  # seconds; after twice that a silent cut of the link is noticed

    @property
    def hosts(self) -> list[str]:
        """The addresses of the far broker; empty if we cannot call it."""
        return [self.host] if isinstance(self.host, str) else self.host or []
