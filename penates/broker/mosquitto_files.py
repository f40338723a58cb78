"""Mosquitto's files: from the texts in `mosquitto/`, and who there is."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import NamedTuple

from bootstrap.config.toml_file import Fault, SettingsError, contents
from bootstrap.contract.topic_filters import a_filter
from penates.files import package_data

CONF_D = ("penates.conf", "penates-listeners.conf")  # what there is of ours among its settings
ITERATIONS = 101  # Mosquitto's own; our secrets have 192 bits, which nobody guesses however fast
SALT_BYTES = 12  # as Mosquitto 2.0 has it
# Lines of those that the house's owner may add: by one that it does not understand the broker does not start.
RULE = re.compile(r"|#.*|user \S.*|(?:topic|pattern) +(?:(?:read|write|readwrite|deny) +)?(?P<filter>\S.*)")
BASE64 = r"(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?"
USER = re.compile(rf"|#.*|[^:#\s][^:]*:\$(?:6|7\$\d+)\${BASE64}\${BASE64}|[^:#\s][^:]*:\$argon2id\$\S+", re.ASCII)
ENTRANCES = {"listener", "port", "bind_address", "allow_anonymous", "password_file", "acl_file", "psk_file"}
ENTRANCES |= {"per_listener_settings", "plugin", "auth_plugin", "global_plugin"}
STORAGE = "persist"  # a plugin with this in its name lets nobody in


def text(name: str) -> str:
    """One of the texts."""
    return (package_data.folder("mosquitto") / name).read_text(encoding="utf-8")


def listeners(places: Mapping[str, object]) -> str:
    """Who may come in where: `folder`, `plain_port`, `tls_port`, `tls_address`."""
    return Template(text("listeners.conf")).substitute(places)


def acl(
    groups: Sequence[str], heard: Mapping[str, Sequence[str]], announced: Mapping[str, Sequence[str]], prefix: str
) -> str:
    """Who may say and hear what.

    `heard` has the topics of each recorder, `announced` those by which each sensor tells Home Assistant of itself, and
    `prefix` is the first part of all of Home Assistant's.
    """
    words: dict[str, Sequence[str]] = {"<group>": groups, "<prefix>": [prefix]}
    recorders = [words | {"<recorder>": [user], "<heard>": topics} for user, topics in heard.items()]
    sensors = [words | {"<sensor>": [user], "<announcement>": topics} for user, topics in announced.items()]
    found: list[str] = []
    for part in text("acl").rstrip("\n").split("\n\n"):
        each = recorders if "<recorder>" in part else sensors if "<sensor>" in part else [words]
        found += [_filled(part, one) for one in each]
    return "\n\n".join(found) + "\n"


def _filled(part: str, words: Mapping[str, Sequence[str]]) -> str:
    """Each rule once for every value of each word in it."""
    lines = part.split("\n")
    for word, values in words.items():
        lines = [one for line in lines for one in _each(line, word, values)]
    return "\n".join(lines)


def _each(line: str, word: str, values: Sequence[str]) -> list[str]:
    return [line.replace(word, value) for value in values] if word in line and not line.startswith("#") else [line]


def passwords(known: Mapping[str, str], there: str) -> str:
    """A line for each user and password; those that are there and still right stay as they are."""
    lines = dict(line.split(":", 1) for line in there.splitlines() if ":" in line)
    kept = {user: line for user, line in lines.items() if user in known and _fits(line, known[user])}
    return "".join(f"{user}:{kept.get(user) or hashed(password)}\n" for user, password in known.items())


def hashed(password: str, salt: bytes | None = None) -> str:
    """PBKDF2 with SHA-512, as mosquitto_passwd writes it; that program wants the password on its command line."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _fits(line: str, password: str) -> bool:
    try:
        salt = base64.b64decode(line.split("$")[3], validate=True)
    except (IndexError, ValueError):
        return False
    return hmac.compare_digest(hashed(password, salt), line)


def added(file: Path, understood: Callable[[str], None]) -> str:
    """What the house's owner adds to ours; nothing if there is no such file.

    Raises:
        SettingsError: with each line that is not `understood`. What stands in it may be a secret.
        OSError: it cannot be read.
    """
    lines = contents(file).decode(errors="replace").splitlines() if file.exists() else []
    faults = []
    for number, line in enumerate(lines, 1):
        try:
            understood(line.strip())
        except ValueError as error:
            faults.append(Fault(str(file), number, f"it must be {error}"))
    if faults:
        raise SettingsError(faults)
    return "".join(f"{line.strip()}\n" for line in lines)


def a_rule(line: str) -> None:
    """Raise ValueError, saying what is allowed, if it is none."""
    found = RULE.fullmatch(line)
    if not found:
        raise ValueError("user NAME, or topic or pattern with a topic, and read, write, readwrite or deny between them")
    if found["filter"]:
        a_filter(found["filter"])


def a_user(line: str) -> None:
    """Raise ValueError, saying what is allowed, if it is none."""
    if not USER.fullmatch(line):
        raise ValueError("a name and a hash, as mosquitto_passwd writes them")


def users_in(passwords: str) -> list[str]:
    """Whose they are."""
    return [line.partition(":")[0] for line in passwords.splitlines() if line and line[0] != "#"]


class Said(NamedTuple):
    """One line of Mosquitto's settings."""

    file: Path
    number: int
    name: str
    value: str


def said(conf: Path) -> Iterator[Said]:
    """What its files say, as it reads them: blanks before a name mean nothing, and folders come after the main file."""
    own = [*_lines(conf)]
    yield from own
    for folder in _included(own):
        for file in sorted(folder.glob("*.conf")):
            yield from _lines(file)


def _included(main: Iterable[Said]) -> list[Path]:
    return [Path(line.value) for line in main if line.name == "include_dir"]


def _lines(file: Path) -> Iterator[Said]:
    for number, row in enumerate(contents(file).decode(errors="replace").split("\n"), 1):
        name, _, value = row.strip().partition(" ")
        if name and name[0] != "#":
            yield Said(file, number, name, value.strip())


def other_entrances(folder: Path, ours: Collection[Path]) -> Iterator[Fault]:
    """What else Mosquitto's files say of who may come in: with it ours would be refused, or not be all there is."""
    conf, conf_d = folder / "mosquitto.conf", folder / "conf.d"
    if not conf.exists():  # it is yet to be installed
        return
    for file, number, name, value in said(conf):
        if file not in ours and name in ENTRANCES and STORAGE not in value:
            yield Fault(str(file), number, f"{f'{name} {value}'!r} is of a way in beside ours; put # before it")
    if conf_d not in _included(_lines(conf)):
        yield Fault(str(conf), 1, f"add 'include_dir {conf_d}': it is where our settings are")
