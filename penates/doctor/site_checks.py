"""What `penates doctor` checks of the link to another site. Each finding says at which end something is to be done."""

import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bootstrap.config.model import BrokerSettings, House, SensorSettings
from bootstrap.config.secrets import password_file, read_password
from bootstrap.contract import timestamps
from bootstrap.contract.payload import decode
from bootstrap.contract.sites import caller_of, site_users
from bootstrap.contract.topics import EYES
from bootstrap.errors import Refused
from bootstrap.tls import tls
from penates.broker import mosquitto_files as mosquitto
from penates.broker.far_broker import FarBroker
from penates.broker.far_sites import KIND, LinkedSite, bridged_groups
from penates.doctor import reachability
from penates.doctor.findings import SUDO, Finding, Verdict, bad, good, unknown
from penates.doctor.machine import CONF
from penates.fleet.access import Access, trusting
from penates.fleet.broker_facts import BrokerFacts
from penates.fleet.link_state import Connections, LinkState, link_state
from penates.fleet.probe import PATIENCE_S, Silent, Unreachable, reach

LINK, FAR, GROUPS, CLOCKS, QUEUE, LOOP = "link", "far broker", "groups", "clocks", "queue", "other bridges"
ACCESS, VERSION = "far access", "mosquitto"
RESTART = "sudo systemctl restart mosquitto; sudo journalctl -u mosquitto -n 50"
MOST_SKEW_S = 2.5


@dataclass(frozen=True)
class SiteCheck:
    """The checks of one link.

    Attributes:
        house: the settings of this house.
        settings: those of the file about the other site.
        site: what they mean.
        groups: our groups.
        conf: the main file of the broker's settings here.
    """

    house: House
    settings: SensorSettings
    site: LinkedSite
    groups: list[str]
    conf: Path = CONF

    def findings(self) -> Iterator[Finding]:
        """Check both ends as far as they can be seen from here."""
        hidden = (yield from self._far_broker()) if self.site.calls else None
        yield from self._groups()
        yield from self._from_here(hidden)
        yield from foreign(self.conf, [*self.groups, *self.site.groups])

    @property
    def there(self) -> str:
        """Where something is to be done, if not here."""
        return f"at {self.site.name}"

    @property
    def _again(self) -> str:
        site = self.site
        return f"{self.there}: sudo penates bridge invite {site.own}; here: sudo penates bridge join FILE"

    def _far_broker(self) -> Generator[Finding, None, list[str] | None]:
        """Check address, port, name, certificate and users of the other broker.

        Returns those of its groups that it does not show us; None if it cannot be used.
        """
        site, file = self.site, self.settings.device.settings()["ca_file"]
        assert isinstance(file, Path | None)  # noqa: S101 - as the kind declares it
        rows, host = reachability.reach(BrokerSettings(host=[*site.hosts], port=site.port, ca_file=file))
        yield from map(self._of_far, rows)
        if host is None or file is None:
            return None
        folder = self.settings.folder / "secrets"
        pairs = zip(site_users(site.own), site_users(site.name), strict=True)
        try:
            passwords = {user: read_password(folder / kept) for user, kept in pairs}
        except PermissionError as error:
            yield unknown(FAR, f"not allowed to read {error.filename}", SUDO)
            return None
        except (OSError, ValueError) as error:
            yield bad(FAR, f"a password for {site.name} is missing here: {error}", self._again)
            return None
        broker = FarBroker(site=site.own, port=site.port, trust=tls(file), passwords=passwords)
        if why := broker.why_not(host):
            yield bad(FAR, why, self._again)
            return None
        facts = broker.facts(host)
        yield good(FAR, f"{host} lets in our users{f'; {facts.version}' if facts.version else ''}")
        yield from said(facts, f"{site.name}'s broker", self.there)
        with suppress(OSError, Silent):
            hidden = broker.hidden_groups(host, site.groups) if site.pulls else []
            yield from self._access_there(hidden)
            if refused := [*broker.refused_groups(host, self.groups)]:
                options = " ".join(f"--group {group}" for group in self.groups)
                text = f"{site.name} does not take what is in our group {', '.join(refused)}"
                yield bad(GROUPS, text, f"{self.there}: sudo penates bridge invite {site.own} {options}")
            return hidden
        return []

    def _access_there(self, hidden: list[str]) -> Iterator[Finding]:
        """Check whether the other broker lets our users receive: one that does not still grants the subscription."""
        if hidden:
            text = f"{self.site.name} lets us in, and shows us nothing of its group {', '.join(hidden)}"
            yield bad(ACCESS, text, f"{self.there}: has it sensors in this group? sudo penates install; penates doctor")

    def _of_far(self, row: Finding) -> Finding:
        """Return a finding about an address of the other broker, with advice that names the end."""
        if row.verdict is Verdict.GOOD:
            return replace(row, check=FAR)
        if row.check == reachability.BROKER:
            advice = f"{self.there}: does Mosquitto run, and does the router forward this port? Or another address: "
            return replace(row, check=FAR, advice=f"{advice}sudo penates bridge invite {self.site.own} --address HOST")
        return replace(row, check="far TLS", advice=f"{self.there}: sudo penates certs --name HOST; else {self._again}")

    def _groups(self) -> Iterator[Finding]:
        said = self.settings.device.settings()["own_groups"]
        if isinstance(said, list) and (missing := sorted({*self.groups} - {*said})):
            text = f"{self.settings.file} does not name our group {', '.join(missing)} in own_groups"
            yield bad(GROUPS, text, f"here: add it; {self.there}: sudo penates bridge invite {self.site.own} --group …")

    def _from_here(self, hidden: list[str] | None) -> Iterator[Finding]:
        """Check what the broker here knows of the link; `hidden` is what `_far_broker` has returned."""
        try:
            with reach(self._access(), PATIENCE_S) as probe:
                facts = BrokerFacts.of(probe)
                found = link_state(probe, self.site.callers, self.site.groups)
                held = probe.retained(self.settings.topics.data(name) for name in ("skew", "since"))
        except PermissionError as error:
            yield unknown(LINK, f"not allowed to read {error.filename}", SUDO)
            return
        except (OSError, ValueError, Unreachable, Silent) as error:
            yield unknown(LINK, f"the broker here cannot be asked: {error}")
            return
        yield from said(facts, "the broker here", "here")
        yield from self._link(found, hidden)
        values = {topic.rpartition("/")[2]: _value(payload) for topic, payload in held.items()}
        yield from self._clocks(values.get("skew"))
        if not found.up:
            yield from self._queue(values.get("since"))

    def _access(self) -> Access:
        broker = self.house.broker
        file = password_file(self.settings.folder, broker.password_file, EYES)
        password = read_password(file) if file else None
        user = broker.username or (EYES if file else None)
        return Access(broker.hosts, broker.tcp_port, broker.protocol, user, password, trusting(broker.ca_file))

    def _link(self, found: LinkState, hidden: list[str] | None) -> Iterator[Finding]:
        """Yield what the notifications of the connections mean, and at which end to look."""
        site = self.site
        yield from (self._down(caller, one, hidden) for caller, one in found.connections.items() if one.down)
        if found.up and not found.states:
            text = f"connected, but nothing of the group {', '.join(site.groups)} has come"
            shown = site.pulls and hidden == []
            there = f"{self.there}: has it sensors in this group? sudo penates install; penates doctor"
            yield bad(LINK, text, f"here, since {site.name} shows it: {RESTART}" if shown else there)
        elif found.up:
            yield good(LINK, f"up; {len(found.states)} of {site.name}'s sensors are known here")

    def _down(self, caller: str, found: Connections, hidden: list[str] | None) -> Finding:
        """Return at which end to look for the connections of `caller`, which are not all up."""
        site = self.site
        what = f"{caller} is not connected ({', '.join(found.down)})"
        if caller == site.own and hidden is not None:
            return bad(LINK, f"{what}, though {site.name} can be reached and lets us in", f"here: {RESTART}")
        if caller == site.own:
            return bad(LINK, what, f"{self.there}, or between the sites: see `{FAR}` above")
        never = (found.history, found.state) == (None, None)
        join = f"sudo penates bridge join {site.name}.json" if never else "sudo penates doctor"
        return bad(LINK, f"{what}{', and never was' if never else ''}", f"{self.there}: {join}")

    def _clocks(self, skew_s: object) -> Iterator[Finding]:
        if not isinstance(skew_s, int | float):
            return
        if abs(skew_s) <= MOST_SKEW_S:
            yield good(CLOCKS, f"{self.site.name}'s clock differs by {skew_s:.1f} s")
            return
        here = not timestamps.synchronised()
        text = f"{self.site.name}'s clock is {abs(skew_s):.1f} s {'ahead' if skew_s > 0 else 'behind'}"
        yield bad(CLOCKS, f"{text}: commands expire", f"{'here' if here else self.there}: timedatectl set-ntp true")

    def _queue(self, since: object) -> Iterator[Finding]:
        """Check whether the link is down for longer than the queue was made for."""
        with suppress(Refused):
            down_s = time.time() - timestamps.parse(str(since)).timestamp()
            if down_s > self.house.site.outage_s:
                text = (
                    f"down for {down_s / 3600:.0f} h, and the queue is for {self.house.site.outage}: readings are lost"
                )
                yield bad(QUEUE, text, "here: a longer `outage` in [site] of house.toml; sudo penates install")


def said(facts: BrokerFacts, which: str, where: str) -> Iterator[Finding]:
    """Yield what is wrong with a broker by what it says of itself; `where` it is to be mended."""
    if facts.too_old:
        text = f"{which} is {facts.version}, and a bridge needs 2.0 or later"
        yield bad(VERSION, text, f"{where}: sudo apt install mosquitto")
    if facts.dropped:
        text = f"{which} has dropped {facts.dropped} messages since its start, because a queue was full"
        log = "sudo grep 'being dropped' /var/log/mosquitto/mosquitto.log"
        yield bad(QUEUE, text, f"{where}: {log}; a longer `outage` in [site] of house.toml; sudo penates install")


def linked_sites(house: House, sensors: list[SensorSettings], conf: Path = CONF) -> Iterator[SiteCheck]:
    """Yield the checks of each other site; what is wrong with its file `penates check` and `install` say."""
    groups = bridged_groups(sensors, house)
    for settings in sensors:
        if settings.kind == KIND and house.site.name and caller_of(str(settings.device.settings()["link"])):
            yield SiteCheck(house, settings, LinkedSite.of(settings, house), groups, conf)


def _value(payload: bytes) -> object:
    with suppress(Refused, ValueError):
        return decode(payload)
    return None


def foreign(conf: Path, groups: list[str]) -> Iterator[Finding]:
    """Yield the topics of other bridges of this broker that are in one of the groups: with ours they make a loop."""
    if not conf.exists():
        return
    for line in mosquitto.directives(conf):
        if line.name == "topic" and line.file.name != mosquitto.BRIDGES:
            pattern = _local(line.value.split())
            touched = [group for group in groups if _touches(pattern, group)]
            if touched:
                text = f"{line.file}:{line.number}: {line.text!r} bridges the group {', '.join(touched)}, too"
                yield bad(LOOP, f"{text}: messages come twice, or go round", "here: put # before that connection")


def _local(words: list[str]) -> str:
    """Return what a bridge's `topic` names here: pattern, direction, QoS, prefix here, prefix there."""
    prefix = words[3] if len(words) > 3 and words[3] != '""' else ""  # noqa: PLR2004
    return prefix + (words[0] if words and words[0] != '""' else "")


def _touches(pattern: str, group: str) -> bool:
    return pattern.partition("/")[0] in ("#", "+", group)
