"""Taking over a Mosquitto that others use: what controls access in its files is put aside, and its users come along."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from bootstrap.config.toml_file import SettingsError, contents
from penates.broker.local_mosquitto import FILES, access_lines
from penates.broker.mosquitto_files import OF_A_LISTENER, Directive, directives, users_in
from penates.files.install_paths import HOUSE
from penates.files.planned_file import FOLDER_MODE, SECRET, Planned, as_it_is

MARK = "#penates took this over: "
EVERYTHING = "topic readwrite #"


def put_aside(folder: Path, ours: Collection[Path]) -> list[Planned]:
    """Return its files with each line that controls access as a comment, which `given_back` undoes."""
    found: dict[Path, list[int]] = {}
    for line in [*access_lines(folder, ours), *_of_listeners(folder, ours)]:
        found.setdefault(line.file, []).append(line.number)
    return [as_it_is(file, _commented(contents(file), numbers)) for file, numbers in found.items()]


def _of_listeners(folder: Path, ours: Collection[Path]) -> Iterator[Directive]:
    """Yield the settings of its listeners: without the lines above them they would open another one."""
    conf = folder / "mosquitto.conf"
    lines = directives(conf) if conf.exists() else ()
    yield from (
        line for line in lines if line.name in {*OF_A_LISTENER, "protocol", "http_dir"} and line.file not in ours
    )


def _commented(text: bytes, numbers: Collection[int]) -> bytes:
    rows = text.split(b"\n")
    return b"\n".join(MARK.encode() + row if number in numbers else row for number, row in enumerate(rows, 1))


def brought_along(folder: Path, ours: Collection[Path]) -> Iterator[Planned]:
    """Yield the house's own additions to users and rules, with those of the broker; without rules each may do all."""
    lines = access_lines(folder, ours)
    users, rules = (_text(_only([line for line in lines if line.name == name])) for name in FILES)
    own = HOUSE / "mosquitto"
    if not users:
        return
    allowed = _of_users(rules) or "".join(f"user {user}\n{EVERYTHING}\n" for user in users_in(users))
    yield Planned(own, None, FOLDER_MODE)
    for name, text in (("passwords", users), ("acl", allowed)):
        before = _ended(contents(own / name).decode()) if (own / name).exists() else ""
        if text not in before:
            yield Planned(own / name, f"{before}{text}".encode(), SECRET)


def _of_users(rules: str) -> str:
    """Return the rules from the first user on: those before it are for clients without a name, and none come in."""
    rows = rules.splitlines()
    first = next((number for number, row in enumerate(rows) if row.startswith("user ")), len(rows))
    patterns = [row for row in rows[:first] if row.startswith("pattern ")]
    return "".join(f"{row}\n" for row in [*patterns, *rows[first:]])


def _only(lines: Sequence[Directive]) -> Directive | None:
    """Return the only line.

    Raises:
        SettingsError: there are others, for listeners of their own, and ours have one file of users for all.
    """
    if others := [line for line in lines if line.value != lines[0].value]:
        why = f"is a second {lines[0].name}, and the broker will have one: put the lines of both into {lines[0].value}"
        raise SettingsError([line.fault(why) for line in others])
    return lines[0] if lines else None


def _text(line: Directive | None) -> str:
    try:
        return _ended(contents(Path(line.value)).decode()) if line else ""
    except UnicodeDecodeError as error:
        assert line is not None, "else nothing was read"  # noqa: S101
        raise SettingsError([line.fault(f"leads to a file that is not UTF-8, at its byte {error.start}")]) from None


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def given_back(folder: Path) -> list[Planned]:
    """Return the files in which lines were put aside, as they were before."""
    conf = folder / "mosquitto.conf"
    files = dict.fromkeys(line.file for line in directives(conf)) if conf.exists() else {}
    files |= dict.fromkeys(sorted((folder / "conf.d").glob("*.conf")))
    mark = MARK.encode()
    return [as_it_is(file, text.replace(mark, b"")) for file in files if mark in (text := contents(file))]
