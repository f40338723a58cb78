"""A second broker that a device may talk to: where it is, and what can be done there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from bootstrap.contract.commands import Outcome

Told: TypeAlias = Callable[[Outcome, str], object]  # the outcome, and why


@dataclass(frozen=True, kw_only=True)
class OtherAddress:
    """Another broker, and how to introduce oneself there.

    Attributes:
        hosts: the addresses of this one broker, tried in turn.
        ca_file: the CA to trust, which turns TLS on.
        password_file: the file with the password; it is read at each connect.
        keepalive_s: seconds without a message after which the broker is asked whether it is there.
        presence: a topic that is `1` there, retained, while we are connected, and `0` otherwise; empty for none.
    """

    hosts: Sequence[str]
    port: int
    client_id: str
    keepalive_s: int
    ca_file: Path | None = None
    username: str | None = None
    password_file: Path | None = field(default=None, repr=False)
    presence: str = ""


class OtherBrokerHandle(Protocol):
    """The connection to another broker, which is made again whenever it breaks."""

    @property
    def trouble(self) -> str | None:
        """Why there is no connection; None while there is one."""

    def tell(self, topic: str, payload: bytes, then: Told) -> None:
        """Publish there: now or not at all. `then` is called with what became of it."""

    def close(self) -> None:
        """Disconnect for good."""
