"""What a link between two sites costs a month, in MB, with and without a meter on it. Needs mosquitto; ten minutes.

    .venv/bin/python benchmarks/metered.py [all|metered|sparing]

Two sites by the files that penates makes for them, the cabin calling home by TLS over a wire that counts. Each has so
many sensors (SENSORS) of one measure each, which changes at every reading, and the bridge's own. Everything that has a
period runs ten times as fast as in the house that is stated; keepalives do not, so the daemon's connection, which
carries nothing else, is counted as it is.

What is counted is what the kernel counts of each connection: bytes of TLS in both directions, and segments, each with
52 bytes of headers (IPv4 20, TCP 20, timestamps 12). What a reconnection costs is printed, too: TLS handshakes, and
everything retained once.
"""

import re
import socket
import struct
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.faults.wire import Wire  # noqa: E402 - it lies with the tests
from support.linked_sites import LinkedSites, Site  # noqa: E402
from support.world import Broker  # noqa: E402

SENSORS = 10
FASTER = 10
EVERY_S = HEARTBEAT_S = 60.0
THINNED_S = 900.0
MEASURED_S = 2 * THINNED_S / FASTER  # a whole number of all periods
SETTLE_S = 15.0
HEADERS = 52
DAY_S, MONTH_D, MB = 86_400, 30, 1e6
RECEIVED = struct.Struct("@QQII")  # bytes_acked, bytes_received, segs_out, segs_in
AT = 120  # where they are in the kernel's tcp_info
NAMES = {"site-cabin-history": "history", "site-cabin-state": "state", "site-cabin": "daemon"}
CONNECTED = re.compile(r"New (?:bridge|client) connected from \S+?:(\d+) as .* u'([^']+)'")


@dataclass(frozen=True)
class Traffic:
    """What a connection has carried."""

    tls: int = 0
    segments: int = 0

    @property
    def bytes(self) -> int:
        """Headers included."""
        return self.tls + HEADERS * self.segments

    def __sub__(self, before: "Traffic") -> "Traffic":
        return Traffic(self.tls - before.tls, self.segments - before.segments)

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.tls + other.tls, self.segments + other.segments)


@dataclass(frozen=True)
class Way:
    """How a link is set up: what that is, what the calling site's file has, and how often the bridges are read."""

    what: str
    at_caller: str
    bridge_s: float


THINS = f"heartbeats_every_s = {THINNED_S / FASTER:g}\n"
WAYS = {
    "all": Way("all heartbeats", "", EVERY_S),
    "metered": Way(f"heartbeats once in {THINNED_S:g} s", THINS, EVERY_S),
    "sparing": Way("the same, bridges read as seldom, keepalive_s = 60", f"{THINS}keepalive_s = 60\n", THINNED_S),
}


class Meter(Wire):
    """A wire that knows what each connection has carried."""

    def __init__(self, to: int) -> None:
        self._by_port: dict[int, socket.socket] = {}  # the end towards the cabin, by the port at which home sees it
        super().__init__(to)

    def _carry_both(self, client: socket.socket, broker: socket.socket) -> None:
        self._by_port[broker.getsockname()[1]] = client
        super()._carry_both(client, broker)

    def counts(self, names: dict[int, str]) -> dict[str, Traffic]:
        """What each connection has carried so far, by its name."""
        return {name: _carried(self._by_port[port]) for port, name in names.items()}


def _carried(end: socket.socket) -> Traffic:
    info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    acked, received, sent, came = RECEIVED.unpack_from(info, AT)
    return Traffic(acked + received, sent + came)


def furnish(site: Site) -> list[str]:
    """Write the files of the sensors; returns their names."""
    names = [f"{site.name}{number}" for number in range(SENSORS)]
    for name in names:
        site.house.thermometer(name, every_s=EVERY_S / FASTER)
    file = site.house.folder / "house.toml"
    file.write_text(f"heartbeat_s = {HEARTBEAT_S / FASTER:g}\n{file.read_text()}[together]\nrooms = {names!r}\n")
    return names


def connections(broker: Broker) -> dict[int, str]:
    """The cabin's connections at home, by their ports."""
    found = {NAMES[user]: int(port) for port, user in CONNECTED.findall(broker.log()) if user in NAMES}
    return {port: name for name, port in found.items()}


def measure(folder: Path, way: str) -> None:
    """Measure one of the ways, and print it."""
    with ExitStack() as stack:
        sites = LinkedSites(folder)
        stack.callback(sites.close)
        sites.link()
        meter = Meter(sites.home.site.tls_port)
        stack.callback(meter.close)
        file = sites.cabin.house.folder / "devices" / "home.toml"
        text = file.read_text().replace(f"port = {sites.home.site.tls_port}", f"port = {meter.port}")
        file.write_text(text + WAYS[way].at_caller)
        rooms = {site.name: furnish(site) for site in (sites.home, sites.cabin)}
        for site in (sites.home, sites.cabin):
            with (site.house.folder / "devices" / f"{site.far}.toml").open("a") as more:
                more.write(f"every_s = {WAYS[way].bridge_s / FASTER:g}\n")
            site.serve(lambda name, *lines, **more: started(stack, folder, name, *lines, **more))
        eyes = {site.name: sites.look(site, "admin") for site in (sites.home, sites.cabin)}
        for site in (sites.home, sites.cabin):
            site.house.supervise("rooms")
            site.house.run(site.far)
        for near, far in (("home", "cabin"), ("cabin", "home")):
            for sensor in rooms[far]:
                eyes[near].wait_value(f"{far}/{sensor}/status/state", "online")
        eyes["home"].wait_value("penates-bridge/cabin/commands", 1)
        time.sleep(SETTLE_S)
        names = connections(sites.home.broker)
        began = meter.counts(names)
        report(began, watch(meter, names, sites))


def started(stack: ExitStack, folder: Path, name: str, *lines: str, listener: bool, port: int) -> Broker:
    """A broker that runs until the end."""
    broker = Broker(folder / f"broker-{name}", *lines, listener=listener, port=port).start()
    stack.callback(broker.stop)
    return broker


def watch(meter: Meter, names: dict[int, str], sites: LinkedSites) -> dict[str, Traffic]:
    """Let the house change for a while; returns what each connection has carried in that time."""
    before, until = meter.counts(names), time.monotonic() + MEASURED_S
    number = 0
    while time.monotonic() < until:
        number += 1
        for site in (sites.home, sites.cabin):
            for sensor in (f"{site.name}{one}" for one in range(SENSORS)):
                site.house.probe(sensor, 20_000 + number % 900 * 11)
        time.sleep(1)
    after = meter.counts(names)
    return {name: after[name] - before[name] for name in after}


def report(began: dict[str, Traffic], carried: dict[str, Traffic]) -> None:
    """Print what that makes in a month."""
    total = 0.0
    for name, traffic in sorted(carried.items()):
        faster = 1 if name == "daemon" else FASTER
        a_day = traffic.bytes / MEASURED_S / faster * DAY_S
        total += a_day
        print(f"  {name:8} {a_day / MB:6.2f} MB a day ({traffic.tls} bytes of TLS, {traffic.segments} segments)")
    print(f"  in all   {total / MB:6.2f} MB a day, {total * MONTH_D / MB:.0f} MB a month")
    once = sum(began.values(), Traffic())
    print(f"  connecting, and everything retained once, {once.bytes / 1e3:.0f} kB (with the first readings)")


def main(words: list[str]) -> None:
    """Measure these ways, or all of them."""
    print(f"{SENSORS} sensors a side, a reading and a heartbeat each {EVERY_S:g} s; both directions, headers included")
    for way in words or WAYS:
        print(f"{WAYS[way].what}:")
        with tempfile.TemporaryDirectory() as place:
            measure(Path(place), way)


if __name__ == "__main__":
    main(sys.argv[1:])
