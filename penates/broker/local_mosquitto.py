"""A Mosquitto on this machine that others use, as its own files describe it: how to come in without changing it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from bootstrap.config.toml_file import Fault, SettingsError
from penates.broker.mosquitto_files import DEFAULT_LISTENER, PLUGINS, Directive, directives

SECURED = ("certfile", "keyfile", "psk_hint")
FILES = ("password_file", "acl_file")
ANYWHERE = ("", "0.0.0.0", "::", "127.0.0.1", "localhost", "::1")  # noqa: S104 - it is only compared with
HOST = "localhost"


@dataclass
class TheirListener:
    """One of its listeners.

    Attributes:
        line: where it is set; None for the one that Mosquitto has if none is set.
        settings: what is set for it.
    """

    line: Directive | None = None
    settings: dict[str, Directive] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Its port; 0 for a socket in the file system."""
        port = self.line.value.split()[0] if self.line and self.line.value else str(DEFAULT_LISTENER)
        return int(port) if port.isdecimal() else 0

    @property
    def host(self) -> str:
        """The name by which this machine reaches it."""
        address = self.line.value.partition(" ")[2].strip() if self.line else ""
        with suppress(ValueError):
            if ip_address(address).is_loopback and address != "127.0.0.1":
                return address
        return HOST if address in ANYWHERE else address

    @property
    def plain(self) -> bool:
        """Whether it speaks MQTT over TCP without TLS."""
        kind = self.settings.get("protocol")
        return self.port > 0 and (kind is None or kind.value == "mqtt") and not self.settings.keys() & {*SECURED}


@dataclass(frozen=True)
class LocalMosquitto:
    """How to come in beside others.

    Attributes:
        host: the name by which this machine reaches its listener.
        port: that listener's port.
        passwords: the file in which each user needs a password; None if it lets in everybody.
        rules: the file of its access rules, if there is one.
    """

    host: str
    port: int
    passwords: Path | None = None
    rules: Path | None = None


def in_use(folder: Path, ours: Collection[Path]) -> bool:
    """Return whether a Mosquitto on this machine has listeners, users or rules that are not ours."""
    return any(line.name != "per_listener_settings" for line in access_lines(folder, ours))


def access_lines(folder: Path, ours: Collection[Path]) -> list[Directive]:
    """Return the lines outside our files that control who may connect, where, and what they may do."""
    conf = folder / "mosquitto.conf"
    lines = directives(conf) if conf.exists() else ()
    return [line for line in lines if line.controls_access and line.file not in ours]


def local_mosquitto(folder: Path, ours: Collection[Path] = (), port: int | None = None) -> LocalMosquitto | None:
    """Return how to come in beside others, by the listener on this port or by the first one.

    None means that there is no Mosquitto, or that it does not have this port.

    Raises:
        SettingsError: it has no listener that we could use.
    """
    conf = folder / "mosquitto.conf"
    if not conf.exists():
        return None
    lines = [line for line in directives(conf) if line.file not in ours and not line.stores]
    common, listeners = _listeners(lines)
    if port and port not in [one.port for one in listeners]:
        return None  # another broker has that port
    usable = [one for one in listeners if one.plain and port in (None, one.port)]
    if not usable:
        why = "Mosquitto has no listener without TLS; name one with --broker HOST:PORT --ca-file FILE --username NAME"
        raise SettingsError([Fault(str(conf), 1, why)])
    return _way_in(usable[0], common, conf)


def _way_in(listener: TheirListener, common: dict[str, Directive], conf: Path) -> LocalMosquitto:
    each = common.get("per_listener_settings")
    known = listener.settings if each and each.value == "true" else common | listener.settings
    if plugin := next((known[name] for name in PLUGINS if name in known), None):
        why = "decides who may connect, so we cannot make users; make one there, and name it with --username NAME"
        raise SettingsError([plugin.fault(why)])
    passwords, rules = (Path(known[name].value) if name in known else None for name in FILES)
    opened = known.get("allow_anonymous")
    anonymous = opened.value == "true" if opened else listener.line is None and passwords is None
    if passwords is None and not anonymous:
        where = listener.line or Directive(conf, 1, "listener", str(listener.port))
        raise SettingsError([where.fault("lets nobody in: it has neither password_file nor allow_anonymous true")])
    if rules is not None and passwords is None:
        why = "has rules for clients without a name, and there is no password_file for users of ours; name a user there"
        raise SettingsError([known["acl_file"].fault(why)])
    if anonymous and rules is None:
        passwords = None
    return LocalMosquitto(listener.host, listener.port, passwords, rules)


def _listeners(lines: Iterable[Directive]) -> tuple[dict[str, Directive], list[TheirListener]]:
    """Return the settings for all, and each listener with its own; as Mosquitto reads them, in order."""
    common: dict[str, Directive] = {}
    found: list[TheirListener] = []
    for line in lines:
        if line.name in ("listener", "port") and line.value:
            found.append(TheirListener(line))
        elif found and line.name in ("protocol", *SECURED):
            found[-1].settings[line.name] = line
        else:
            common[line.name] = line
            if found:
                found[-1].settings[line.name] = line
    return common, found or [TheirListener()]


def theirs(text: str) -> Iterator[str]:
    """Yield the lines of a file of theirs that are not in our part of it."""
    yield from without_ours(text).splitlines()


BEGIN, END = "# penates: begin, made by `penates install`; all else is yours", "# penates: end"


def without_ours(text: str) -> str:
    """Return a file of theirs as it was before our part.

    Raises:
        ValueError: our part does not end, and what follows it may be theirs.
    """
    before, _, after = _parts(text)
    return before + after


def ours_in(text: str) -> str:
    """Return our part of a file of theirs, without its first and last line.

    Raises:
        ValueError: as `without_ours`.
    """
    return _parts(text)[1]


def _parts(text: str) -> tuple[str, str, str]:
    """Return what is before our part, our part, and what is after it."""
    before, begin, rest = text.partition(f"{BEGIN}\n")
    ours, end, after = rest.partition(f"{END}\n")
    if begin and not end:
        raise ValueError(
            f"begins our part, and the line that ends it is gone: write {END!r} where your own lines begin"
        )
    return before, ours, after


@contextmanager
def faults_of(file: Path, text: str) -> Iterator[None]:
    """Report a part of ours that does not end, with its line, as SettingsError."""
    try:
        yield
    except ValueError as error:
        raise SettingsError([Fault(str(file), text.partition(BEGIN)[0].count("\n") + 1, str(error))]) from None


def with_ours(text: str, part: str) -> str:
    """Return a file of theirs with our part at its end; every line of theirs stays byte for byte."""
    rest = without_ours(text)
    return f"{rest}{'' if not rest or rest.endswith(chr(10)) else chr(10)}{BEGIN}\n{part}{END}\n" if part else rest
