"""The broker of another site, as its users there find it: can it be reached, whom does it let in, what may they do?"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bootstrap.contract.sites import STATE, connection_user, site_user, site_users
from bootstrap.contract.topics import Kind
from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.connect import connect
from penates.fleet.access import KEEPALIVE_S
from penates.fleet.broker_facts import BrokerFacts
from penates.fleet.probe import PATIENCE_S, HungUp, MqttProbe, Silent

NAME = "penates-doctor/status/doctor"  # of no sensor, and nobody stores it


@dataclass(frozen=True, kw_only=True)
class FarBroker:
    """A broker that we call.

    Attributes:
        site: this site, which has users there.
        port: the port.
        trust: the CA of its certificate.
        passwords: the password of each of our users.
    """

    site: str
    port: int
    trust: ssl.SSLContext
    passwords: Mapping[str, str] = field(repr=False)

    def why_not(self, host: str) -> str:
        """Return why the broker cannot be used at this address; empty if it lets in all of our users."""
        try:
            for user in site_users(self.site):
                with self._connected(host, user) as probe:
                    if (reason := probe.greet()).failed:
                        return f"{host}:{self.port} refuses the user {user}: {reason.text}"
        except (OSError, Silent) as error:
            return f"{host}:{self.port}: {error}"
        return ""

    def usable(self, hosts: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the addresses at which the broker can be used, and why not at the others."""
        found = {host: self.why_not(host) for host in hosts}
        return [host for host, why in found.items() if not why], [why for why in found.values() if why]

    def refused_groups(self, host: str, groups: Sequence[str]) -> Iterator[str]:
        """Yield those of our groups that the broker does not take from us.

        Raises:
            OSError, Silent: it cannot be asked.
        """
        for group in groups:
            with self._connected(host, connection_user(self.site, STATE)) as probe:
                probe.greet()
                try:
                    failed = probe.publish(f"{group}/{NAME}").failed
                except HungUp:
                    failed = True
                if failed:
                    yield group

    def hidden_groups(self, host: str, groups: Sequence[str]) -> list[str]:
        """Return those of its groups of which the broker shows us no sensor.

        Raises:
            OSError, Silent: it cannot be asked.
        """
        with self._connected(host, connection_user(self.site, STATE)) as probe:
            probe.greet()
            shown = probe.retained(f"{group}/+/{Kind.STATUS}/state" for group in groups)
        return sorted({*groups} - {topic.partition("/")[0] for topic in shown})

    def facts(self, host: str) -> BrokerFacts:
        """Return what the broker says of itself."""
        with suppress(OSError, Silent), self._connected(host, site_user(self.site)) as probe:
            if not probe.greet().failed:
                return BrokerFacts.of(probe)
        return BrokerFacts("", 0)

    def _connected(self, host: str, user: str) -> MqttProbe:
        options = ConnectOptions(
            client_id="", protocol="5", keepalive_s=KEEPALIVE_S, username=user, password=self.passwords[user]
        )
        return MqttProbe(connect(host, self.port, self.trust, PATIENCE_S), options)
