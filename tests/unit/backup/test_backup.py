"""A backup has everything, is made while a recorder writes, and is restored wholly or not at all."""

import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bootstrap.history.points import Point
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore
from penates.__main__ import main
from support.world import House

NOW_US = 1_795_206_667_123_456
KEY = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"
CHANGED = "changed = 1"
Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "penates.tar.gz"


@pytest.fixture
def lived_in(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house with secrets in all places that have them, and with its state folder inside it."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    house.write(1, top='state = "state"', broker='password_file = "words/{sensor}"')
    house.device("recorder", 'kind = "recorder"\nkeep_days = 36500\n')
    house.thermometer()
    (house.folder / "mine.py").write_text("# of my own\n")
    (house.folder / "state" / "outbox").mkdir(parents=True)
    (house.folder / "state" / "outbox" / "backlog").write_text("not in it")
    (house.folder / "__pycache__").mkdir()
    (house.folder / "__pycache__" / "mine.pyc").write_text("not in it")
    for name in ("secrets/eyes", "invited/attic.json", "words/cellar"):
        (house.folder / name).parent.mkdir()
        (house.folder / name).write_text("secret")
        (house.folder / name).chmod(0o640)
    (house.folder / "server.key").write_text(KEY)
    return house


def history(house: House) -> Path:
    return house.folder / "state" / "history.sqlite"


def opened(house: House) -> SqliteStore:
    return SqliteStore(history(house), keep_days=36_500, owner=True, note=house.folder / "state" / "history.json")


def put(store: SqliteStore, *seqs: int) -> None:
    store.put([Point("cm/attic", NOW_US + seq, "r1", seq, {"level": float(seq)}) for seq in seqs])


@pytest.fixture
def store(lived_in: House) -> Iterator[SqliteStore]:
    """As a recorder that runs."""
    with closing(opened(lived_in)) as store:
        put(store, 1, 2)
        yield store


def stored(house: House) -> list[float | str]:
    with closing(SqliteReader(history(house))) as reader:
        return [row.fields["level"] for row in reader.rows("cm/attic", 0)]


def penates(house: House, *words: str | Path) -> int:
    return main([*map(str, words), "--config", str(house.folder)])


def members(file: Path) -> Members:
    with tarfile.open(file) as tar:
        found = [(one, tar.extractfile(one)) for one in tar]
        return [(one, stream.read()) for one, stream in found if stream]


def names(file: Path) -> set[str]:
    return {one.name for one, _ in members(file)}


def files(house: House) -> dict[str, bytes]:
    """All that restoring could change."""
    found = (one for one in house.folder.rglob("*") if one.is_file() and not one.name.endswith(("-wal", "-shm")))
    return {str(one): one.read_bytes() for one in found}


OPEN = {
    "manifest.json",
    "configuration/house.toml",
    "configuration/mine.py",
    "configuration/devices/cellar.toml",
    "configuration/devices/recorder.toml",
    "configuration/bus/28-cellar/temperature",
    "history/recorder.sqlite",
}
SECRET = {f"configuration/{name}" for name in ("secrets/eyes", "invited/attic.json", "words/cellar", "server.key")}


def test_a_backup_has_everything_and_secrets_only_if_asked(
    lived_in: House, store: SqliteStore, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert penates(lived_in, "backup", backup) == 0
    said = capsys.readouterr().out
    assert (
        "5 files of the configuration, history/recorder.sqlite\nnot in it: 4 files with secrets; use --secrets" in said
    )
    assert names(backup) == OPEN
    put(store, 3)
    assert penates(lived_in, "backup", backup, "--secrets") == 0
    assert names(backup) == OPEN | SECRET
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in backup.parent.iterdir() if "penates" in one.name] == [backup.name]


@pytest.mark.usefixtures("store")
def test_the_history_in_it_needs_nothing_beside_it(lived_in: House, backup: Path, tmp_path: Path) -> None:
    penates(lived_in, "backup", backup)
    (content,) = [content for one, content in members(backup) if one.name == "history/recorder.sqlite"]
    (tmp_path / "copy.sqlite").write_bytes(content)
    with closing(sqlite3.connect(f"file:{tmp_path}/copy.sqlite?immutable=1", uri=True)) as database:
        assert database.execute("SELECT count(*) FROM reading").fetchone() == (2,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_recorder_goes_on_in_what_is_restored(lived_in: House, store: SqliteStore, backup: Path) -> None:
    penates(lived_in, "backup", backup, "--secrets")
    before = {name: content for name, content in files(lived_in).items() if "sqlite" not in name}
    put(store, 3)
    lived_in.device("cellar", CHANGED)
    (lived_in.folder / "secrets" / "eyes").unlink()
    assert penates(lived_in, "restore", backup, "--replace") == 0
    assert {name: content for name, content in files(lived_in).items() if "sqlite" not in name} == before
    assert (lived_in.folder / "secrets" / "eyes").stat().st_mode & 0o777 == 0o640
    assert stored(lived_in) == [1, 2]
    with pytest.raises(OSError, match="was replaced by another file"):
        put(store, 4)
    put(store, 4)
    assert stored(lived_in) == [1, 2, 4]
    with closing(sqlite3.connect(history(lived_in))) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_recorder_that_was_killed_leaves_no_journal_to_what_is_restored(lived_in: House, backup: Path) -> None:
    """Its journal, applied to another file, would damage that."""
    with closing(opened(lived_in)) as store:
        put(store, *range(1000))
        penates(lived_in, "backup", backup)
        put(store, *range(1000, 3000))
        kept = {end: Path(f"{history(lived_in)}{end}").read_bytes() for end in ("", "-wal")}
    for end, content in kept.items():
        Path(f"{history(lived_in)}{end}").write_bytes(content)
    assert penates(lived_in, "restore", backup, "--replace", "--only", "history") == 0
    assert stored(lived_in) == [*range(1000)]


def test_a_new_machine_is_as_the_old_one_was(lived_in: House, store: SqliteStore, backup: Path, tmp_path: Path) -> None:
    penates(lived_in, "backup", backup, "--secrets")
    store.close()
    there = House(tmp_path / "new")
    shutil.rmtree(there.folder)
    assert penates(there, "restore", backup) == 0
    assert stored(there) == [1, 2]
    wanted = {name.replace("configuration/", "") for name in OPEN | SECRET if "configuration/" in name}
    assert {str(one.relative_to(there.folder)) for one in there.folder.rglob("*") if one.is_file()} == {
        *wanted,
        "state/history.sqlite",
    }


@pytest.mark.parametrize(("only", "named"), [("configuration", "cellar.toml"), ("history", "history.sqlite")])
@pytest.mark.usefixtures("store")
def test_nothing_is_replaced_unasked(
    lived_in: House, backup: Path, capsys: pytest.CaptureFixture[str], only: str, named: str
) -> None:
    penates(lived_in, "backup", backup)
    lived_in.device("cellar", CHANGED)
    before = files(lived_in)
    assert penates(lived_in, "restore", backup, "--only", only) == 1
    assert f"{named} would be replaced; use --replace" in capsys.readouterr().err
    assert files(lived_in) == before


def test_what_is_in_a_database_is_said_not_to_be_in_it(
    lived_in: House, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lived_in.device("recorder", 'kind = "recorder"\nstore = "influxdb1"\nurl = "http://nas:8086"\n')
    assert penates(lived_in, "backup", backup) == 0
    said = capsys.readouterr().out
    assert (
        "not in it: what recorder stores in the database at http://nas:8086; use its own tool: `influxd backup" in said
    )


@pytest.mark.parametrize("fault", ["missing", "damaged", "pipe"])
def test_a_history_that_cannot_be_read_makes_no_backup(
    lived_in: House, store: SqliteStore, backup: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    put(store, *range(3000))
    store.close()
    backup.write_text("the one before")
    if fault == "damaged":
        content = bytearray(history(lived_in).read_bytes())
        content[8192:12288] = b"\xff" * 4096
        history(lived_in).write_bytes(content)
    else:
        history(lived_in).unlink()
    if fault == "pipe":
        os.mkfifo(history(lived_in))
    assert penates(lived_in, "backup", backup) == 1
    assert str(history(lived_in)) in capsys.readouterr().err
    assert backup.read_text() == "the one before"
    assert penates(lived_in, "backup", backup, "--no-history") == 0


# What is wrong with a backup.


def manifest(found: Members) -> Any:
    return json.loads(found[0][1])


def with_manifest(found: Members, changed: Any) -> Members:
    return [(tarfile.TarInfo("manifest.json"), json.dumps(changed).encode()), *found[1:]]


def added(found: Members, name: str, content: bytes = b"x", **what: Any) -> Members:
    """With one more file, which the manifest lists."""
    listed = {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "mode": 0o644}
    member = tarfile.TarInfo(name)
    for key, value in what.items():
        setattr(member, key, value)
    changed = manifest(found)
    changed["files"].append(listed)
    return [*with_manifest(found, changed), (member, content)]


def newer(found: Members) -> Members:
    return with_manifest(found, manifest(found) | {"format": 2, "penates": "9.0"})


def altered(found: Members) -> Members:
    member, content = found[-1]
    return [*found[:-1], (member, content[:-1] + b"!")]


def no_history(found: Members) -> Members:
    return added(found, "history/other.sqlite", b"x" * 200)


WRONG: list[tuple[Callable[[Members], Members], str]] = [
    (lambda found: found[1:], "is no backup of penates: it does not begin with manifest.json"),
    (lambda found: with_manifest(found, []), "is no backup of penates: manifest.json: TypeError"),
    (
        lambda found: with_manifest(found, {"format": 1, "files": [{"name": 1}]}),
        "is no backup of penates: manifest.json",
    ),
    (newer, "is a backup in format 2, made by penates '9.0'; this one reads 1"),
    (altered, "has another checksum than it lists"),
    (lambda found: found[:-1], "'history/recorder.sqlite' is missing"),
    (lambda found: [*found, found[-1]], "which is not a file that it lists once"),
    (lambda found: [*found, (tarfile.TarInfo("more"), b"")], "contains 'more', which is not a file that it lists once"),
    (lambda found: added(found, "configuration/../../etc/passwd"), "which is outside of the folders"),
    (lambda found: added(found, "/etc/passwd"), "which is outside of the folders"),
    (lambda found: added(found, "configuration//etc/passwd"), "which is outside of the folders"),
    (lambda found: added(found, "history/../x.sqlite"), "which is outside of the folders"),
    (lambda found: added(found, "history/.sqlite"), "which is outside of the folders"),
    (lambda found: added(found, "configuration/a\nb"), "a name that is none"),
    (
        lambda found: added(found, "configuration/a", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "contains 'configuration/a', which is not a file",
    ),
    (
        lambda found: added(found, "configuration/a", b"", type=tarfile.LNKTYPE, linkname="configuration/house.toml"),
        "contains 'configuration/a', which is not a file",
    ),
    (lambda found: added(found, "configuration/mine.py/x"), "that would have to be its folder"),
    (lambda found: added(found, "configuration/secrets"), "a folder is in the way"),
    (no_history, "it has the history of other, and no such recorder"),
]


def repacked(found: Members, file: Path) -> None:
    with tarfile.open(file, "w:gz") as tar:
        for member, content in found:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The members of a backup without secrets."""
    house = House(tmp_path_factory.mktemp("good") / "house")
    house.write(1, top='state = "state"')
    house.device("recorder", 'kind = "recorder"\n')
    (house.folder / "mine.py").write_text("# of my own\n")
    with closing(opened(house)) as store:
        put(store, 1)
        assert penates(house, "backup", house.folder.parent / "backup") == 0
    return members(house.folder.parent / "backup")


@pytest.fixture
def refusal(lived_in: House, backup: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Why a backup is not restored; nothing is changed by it."""

    def why() -> str:
        before = files(lived_in)
        capsys.readouterr()
        assert penates(lived_in, "restore", backup, "--replace") == 1
        assert files(lived_in) == before
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return why


@pytest.mark.parametrize(("damage", "why"), WRONG)
def test_a_backup_with_anything_wrong_changes_nothing(
    backup: Path, good: Members, refusal: Callable[[], str], damage: Callable[[Members], Members], why: str
) -> None:
    repacked(damage([*good]), backup)
    assert why in refusal()


def test_a_file_that_is_cut_short_or_flipped_anywhere_changes_nothing(
    backup: Path, good: Members, refusal: Callable[[], str]
) -> None:
    repacked(good, backup)
    whole = backup.read_bytes()
    for size in (0, 1, 10, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        backup.write_bytes(whole[:size])
        assert str(backup) in refusal()
    for place in range(30, len(whole), len(whole) // 7):
        backup.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert str(backup) in refusal()
    backup.write_bytes(gzip.compress(b"something else" * 1000))
    assert "is damaged, or no backup" in refusal()


def test_a_history_that_is_damaged_inside_changes_nothing(
    backup: Path, good: Members, refusal: Callable[[], str]
) -> None:
    history = good[-1][1]
    changed = manifest(good)
    changed["files"] = [one for one in changed["files"] if not one["name"].startswith("history/")]
    for content in (b"x" * 5000, history[:4096], history[:4096] + b"\xff" * (len(history) - 4096)):
        repacked(added(with_manifest(good, changed)[:-1], "history/recorder.sqlite", content), backup)
        assert "history" in refusal()


@pytest.mark.usefixtures("store")
def test_a_history_is_not_restored_below_a_disk_that_is_not_mounted(
    lived_in: House, backup: Path, refusal: Callable[[], str]
) -> None:
    penates(lived_in, "backup", backup)
    note = lived_in.folder / "state" / "outbox" / "cm.recorder" / "history.json"
    note.parent.mkdir()
    note.write_text(json.dumps({"file": str(history(lived_in)), "mount": str(lived_in.folder / "state")}))
    assert "no disk is mounted at" in refusal()
