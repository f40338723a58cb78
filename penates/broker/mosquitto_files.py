"""Mosquitto's files, made from the texts in `mosquitto/` and from the users of the broker."""

import base64
import hashlib
import hmac
import math
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import NamedTuple

from bootstrap.config.toml_file import Fault, SettingsError, contents
from bootstrap.contract.topic_filters import a_filter
from bootstrap.package_data import folder as packaged
from penates.broker.far_sites import LinkedSite, caller_rules

KEPT, LISTENERS, BRIDGES = "penates.conf", "penates-listeners.conf", "penates-bridge.conf"
CONF_D = (KEPT, BRIDGES, LISTENERS)  # our files in its conf.d
DAY_S = 86_400
BYTES_EACH = 250  # of a reading that waits
ITERATIONS = 101  # as Mosquitto uses; our secrets have 192 bits, which cannot be guessed at any speed
SALT_BYTES = 12  # as in Mosquitto 2.0
# The lines that the house's owner may add, because the broker does not start with a line that it cannot parse.
RULE = re.compile(r"|#.*|user \S.*|(?:topic|pattern) +(?:(?:read|write|readwrite|deny) +)?(?P<filter>\S.*)")
CARRIED = re.compile(r"topic write [^/]+/(?P<sensor>[^/+#]+)/data/#")  # a rule of a gateway for one that it carries
BASE64 = r"(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?"
USER = re.compile(rf"|#.*|[^:#\s][^:]*:\$(?:6|7\$\d+)\${BASE64}\${BASE64}|[^:#\s][^:]*:\$argon2id\$\S+", re.ASCII)
ACCESS = {"listener", "port", "bind_address", "allow_anonymous", "password_file", "acl_file", "psk_file"}
PLUGINS = ("plugin", "auth_plugin", "global_plugin")
ACCESS |= {"per_listener_settings", *PLUGINS}
# Settings of a listener. Where none stands before them, they are those of Mosquitto's default one, and thereby open it.
OF_A_LISTENER = {"max_connections", "max_qos", "maximum_qos", "mount_point", "socket_domain", "bind_interface"}
OF_A_LISTENER |= {"use_username_as_clientid", "use_identity_as_username", "use_subject_as_username", "psk_hint"}
OF_A_LISTENER |= {"cafile", "capath", "certfile", "keyfile", "crlfile", "dhparamfile", "require_certificate"}
OF_A_LISTENER |= {"ciphers", "ciphers_tls1.3", "tls_engine"}
DEFAULT_LISTENER, WEBSOCKET_PORT = 1883, 8884
STORAGE = "persist"  # a plugin with this in its name does not control access


def text(name: str) -> str:
    """Return one of the texts in `mosquitto/`."""
    return (packaged("mosquitto") / name).read_text(encoding="utf-8")


def listeners(values: Mapping[str, object]) -> str:
    """Return the listeners' settings, filled in with `folder`, the three ports and `tls_address`.

    The last of them, for WebSocket, stays commented out without a `websocket_port`.
    """
    shipped = text("listeners.conf")
    if port := values["websocket_port"]:
        first, rest = shipped.rsplit("\n# listener ", 1)
        shipped = f"{first}\nlistener " + rest.replace("\n# ", "\n")
    return Template(shipped).substitute(values, websocket_port=port or WEBSOCKET_PORT)


def kept(messages: int, outage_s: float) -> str:
    """Return the settings of what the broker keeps; with more room, and for longer, if these numbers need it."""
    shipped = text("penates.conf")
    needed = {"max_queued_messages": messages, "max_queued_bytes": messages * BYTES_EACH}
    needed["persistent_client_expiration"] = math.ceil(outage_s / DAY_S)
    for name, least in needed.items():
        shipped = re.sub(rf"(?m)^({name}) (\d+)", lambda found: f"{found[1]} {max(int(found[2]), least)}", shipped)  # noqa: B023
    return shipped


def bridges(sites: Sequence[Mapping[str, Sequence[str]]]) -> str:
    """Return the settings of the connections to other sites, each filled in as `bridge_values` returns it."""
    head, *connections = text("bridge.conf").rstrip("\n").split("\n\n")
    each = [_filled(connection, values) for values in sites for connection in connections]
    return "\n\n".join([head, *each]) + "\n"


class SensorRules(NamedTuple):
    """The topics of one sensor besides those that every sensor has.

    Attributes:
        announced: those of its announcements to Home Assistant.
        listened: filters of what its device listens to.
        told: topics of others to which its device publishes.
        carried: the sensors that it carries, if it is a gateway, as `group/sensor`.
    """

    announced: Sequence[str]
    listened: Sequence[str] = ()
    told: Sequence[str] = ()
    carried: Sequence[str] = ()


def acl(
    groups: Sequence[str],
    recorded: Mapping[str, Sequence[str]],
    sensors: Mapping[str, SensorRules],
    prefix: str,
    sites: Sequence[LinkedSite] = (),
) -> str:
    """Return the access control list.

    `recorded` contains the topics of each recorder, `sensors` those of each sensor; `prefix` is Home Assistant's
    discovery prefix.
    """
    known = [*groups, *(group for site in sites for group in site.groups)]
    common: dict[str, Sequence[str]] = {"<group>": groups, "<known>": known, "<prefix>": [prefix]}
    recorders = [common | {"<recorder>": [user], "<recorded>": topics} for user, topics in recorded.items()]
    named = [common | _placeholders(user, rules) for user, rules in sensors.items()]
    gateways = [{"<gateway>": [user], "<carried>": rules.carried} for user, rules in sensors.items() if rules.carried]
    callers = [common | caller_rules(site, groups) for site in sites if site.is_called]
    paragraphs = {"<recorder>": recorders, "<sensor>": named, "<gateway>": gateways}
    paragraphs |= {"<caller>": callers}
    found: list[str] = []
    for part in text("acl").rstrip("\n").split("\n\n"):
        each = next((one for placeholder, one in paragraphs.items() if placeholder in part), [common])
        found += [_filled(part, one) for one in each]
    return "\n\n".join(found) + "\n"


def _placeholders(user: str, rules: SensorRules) -> dict[str, Sequence[str]]:
    listed = {"<announcement>": rules.announced, "<listened>": rules.listened, "<told>": rules.told}
    return {"<sensor>": [user], **listed}


def _filled(part: str, placeholders: Mapping[str, Sequence[str]]) -> str:
    """Return a paragraph in which each rule is repeated for every value of each placeholder in it."""
    lines = part.split("\n")
    for placeholder, values in placeholders.items():
        lines = [one for line in lines for one in _each(line, placeholder, values)]
    return "\n".join(lines)


def _each(line: str, placeholder: str, values: Sequence[str]) -> list[str]:
    if placeholder not in line or line.startswith("#"):
        return [line]
    return [line.replace(placeholder, value) for value in values]


def passwords(known: Mapping[str, str], existing: str) -> str:
    """Return a line for each user; those of the `existing` file whose password is unchanged stay as they are."""
    lines = dict(line.split(":", 1) for line in existing.splitlines() if ":" in line)
    kept = {user: line for user, line in lines.items() if user in known and fits(line, known[user])}
    return "".join(f"{user}:{kept.get(user) or hashed(password)}\n" for user, password in known.items())


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return the PBKDF2 hash (SHA-512) that mosquitto_passwd writes; that program needs the password as an argument."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def fits(line: str, password: str) -> bool:
    """Return whether a line of a password file, or its hash, is that of a password; if it cannot be read, it is not."""
    try:
        _, kind, *more = line.rpartition(":")[2].split("$")
        salt, digest = (base64.b64decode(one, validate=True) for one in more[-2:])
        rounds = int(more[0]) if kind == "7" else 0
    except ValueError:
        return False
    if kind == "6":  # as Mosquitto 1 wrote it
        return hmac.compare_digest(hashlib.sha512(password.encode() + salt).digest(), digest)
    return kind == "7" and hmac.compare_digest(hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds), digest)


def added(file: Path, check: Callable[[str], None]) -> str:
    """Return the lines that the house's owner adds to ours; nothing if there is no such file.

    Raises:
        SettingsError: `check` refuses lines. Their text is not shown, because it may be a secret.
        OSError: the file cannot be read.
    """
    lines = contents(file).decode(errors="replace").splitlines() if file.exists() else []
    faults = []
    for number, line in enumerate(lines, 1):
        try:
            check(line.strip())
        except ValueError as error:
            faults.append(Fault(str(file), number, f"it must be {error}"))
    if faults:
        raise SettingsError(faults)
    return "".join(f"{line.strip()}\n" for line in lines)


def rules_of_nobody(text: str) -> Iterator[int]:
    """Yield the numbers of the rules before the first `user`: behind our own rules they would be our last user's."""
    for number, line in enumerate(text.splitlines(), 1):
        match line.split()[:1]:
            case ["user"]:
                return
            case ["topic"]:
                yield number


def a_rule(line: str) -> None:
    """Raise ValueError, with what is allowed, unless a line fits into an access control list."""
    found = RULE.fullmatch(line)
    if not found:
        raise ValueError("user NAME, or topic or pattern with a topic, and read, write, readwrite or deny between them")
    if found["filter"]:
        a_filter(found["filter"])


def a_user(line: str) -> None:
    """Raise ValueError, with what is allowed, unless a line fits into a password file."""
    if not USER.fullmatch(line):
        raise ValueError("a name and a hash, as mosquitto_passwd writes them")


def users_in(passwords: str) -> list[str]:
    """Return the users in the text of a password file."""
    return [line.partition(":")[0] for line in passwords.splitlines() if line and line[0] != "#"]


class AccessFiles(NamedTuple):
    """The texts of the password file and of the access control list."""

    users: str
    rules: str

    @property
    def allowed(self) -> set[tuple[str, str]]:
        """Each user with nothing, and with each rule of its own; `pattern` rules belong to nobody."""
        found = {(user, "") for user in users_in(self.users)}
        user = ""
        for line in self.rules.splitlines():
            match line.split():
                case ["user", *_]:
                    user = line.split(None, 1)[1]
                case ["topic" | "pattern" as what, access, *_] if access != "deny":
                    found.add((user if what == "topic" else "", line))
        return found


def sensors_that_go(now: AccessFiles, wanted: AccessFiles) -> set[str]:
    """Return the ids of the sensors that have access now, and will have none: users, and what gateways carry."""
    return _sensors(now) - _sensors(wanted)


def _sensors(files: AccessFiles) -> set[str]:
    carried = (CARRIED.fullmatch(rule) for _user, rule in files.allowed)
    return {*users_in(files.users), *(found["sensor"] for found in carried if found)}


def with_those_that_go(now: AccessFiles, wanted: AccessFiles) -> AccessFiles | None:
    """Return what is wanted and what there is now, or None if nothing of that goes.

    With it, a sensor that goes can still say that it has stopped.
    """
    if not now.allowed - wanted.allowed:
        return None
    if wanted.allowed <= now.allowed and {*wanted.users.splitlines()} <= {*now.users.splitlines()}:
        return now
    known = {*users_in(wanted.users)}
    going = [line for line in now.users.splitlines() if not known.intersection(users_in(line))]
    return AccessFiles(wanted.users + "".join(f"{line}\n" for line in going), f"{wanted.rules}\n{now.rules}")


class Directive(NamedTuple):
    """One line of Mosquitto's settings."""

    file: Path
    number: int
    name: str
    value: str

    @property
    def text(self) -> str:
        """The line as it is written."""
        return f"{self.name} {self.value}".strip()

    @property
    def stores(self) -> bool:
        """Whether it loads a plugin that keeps what waits, and controls no access."""
        return self.name in PLUGINS and STORAGE in self.value

    @property
    def controls_access(self) -> bool:
        """Whether it decides who may connect, where, and what they may do."""
        return self.name in ACCESS and not self.stores

    def fault(self, why: str) -> Fault:
        """Return a fault of this line."""
        return Fault(str(self.file), self.number, f"{self.text!r} {why}")


def directives(conf: Path) -> Iterator[Directive]:
    """Yield Mosquitto's settings as it reads them: blanks before a name are ignored, folders follow the main file."""
    own = [*lines_in(conf)]
    yield from own
    for folder in _included(own):
        for file in sorted(folder.glob("*.conf")):
            yield from lines_in(file)


def _included(main: Iterable[Directive]) -> list[Path]:
    return [Path(line.value) for line in main if line.name == "include_dir"]


def lines_in(file: Path) -> Iterator[Directive]:
    """Yield the settings in one file."""
    for number, row in enumerate(contents(file).decode(errors="replace").split("\n"), 1):
        name, _, value = row.strip().partition(" ")
        if name and name[0] != "#":
            yield Directive(file, number, name, value.strip())


def conflicting_settings(folder: Path, ours: Collection[Path]) -> Iterator[Fault]:
    """Yield a fault for each setting outside our files that controls access: it may break ours, or let others in."""
    conf, conf_d = folder / "mosquitto.conf", folder / "conf.d"
    if not conf.exists():  # Mosquitto is not installed yet
        return
    listens: dict[Path, Directive] = {}  # the first listener of each file
    found = [line for line in directives(conf) if line.file not in ours]
    access = [line for line in found if line.controls_access]
    for line in found:
        if line.name in ("listener", "port"):
            listens.setdefault(line.file, line)
        elif line.name in OF_A_LISTENER and line.file not in listens:
            yield line.fault(f"is before any listener and opens one, on port {DEFAULT_LISTENER}; put # before it")
    for line in access:
        yield line.fault("also controls access" + (f"; {_to_keep(access)}" if line == access[-1] else ""))
    if conf_d not in _included(lines_in(conf)):
        yield Fault(str(conf), 1, f"add 'include_dir {conf_d}', which contains our settings")


def _to_keep(access: Sequence[Directive]) -> str:
    """Return what to do about settings that control access, without shutting out whoever connects by them."""
    ports = [line.value.split()[0] for line in access if line.name in ("listener", "port") and line.value]
    port = next((port for port in ports if port.isdecimal()), DEFAULT_LISTENER)
    return (
        "whoever connects by these settings would be shut out. To keep this broker as it is, for penates, too: "
        f"sudo penates install --broker localhost:{port}; to make it ours, with its users: "
        "sudo penates install --take-over (docs/BROKER.md, Beside the broker you have)"
    )
