"""`penates upgrade`: what a version changes for a house, and settings that are rewritten with their comments."""

import gzip
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.config import renamed
from bootstrap.config.loader import Configuration
from bootstrap.config.renamed import Rename
from bootstrap.errors import Fatal
from penates.__main__ import main
from penates.upgrade.house_changes import UpgradedHouse
from penates.upgrade.release_notes import BREAKS, Note, Release, later, numbers, releases
from penates.upgrade.renamed_settings import renamed_settings
from support.paths import ROOT

OLD_HOUSES = sorted((ROOT / "tests" / "support" / "houses").iterdir())
RENAMES = (
    Rename("0.4.0", "probe", "serial", kinds=frozenset({"thermometer"})),
    Rename("0.4.0", "server", "host", section="broker"),
    Rename("0.5.0", "beat_s", "pulse_s"),
    Rename("0.5.1", "pulse_s", "heartbeat_s"),
)
HOUSE = """\
# beat_s is how often
group = "cm"\r
beat_s   =  30.0  # mine, not beat_s\r

[broker]
server = [
  "127.0.0.1",  # server = "old"
]
port = 1884
# server = "localhost"

[log]
# server = "untouched"
"""
CELLAR = 'kind = "thermometer" # my probe\n\tprobe = "28-0316a2795fff"\n# probe = "28-000000000000"\n'


@pytest.fixture(params=OLD_HOUSES, ids=lambda house: house.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A house as an older version had it, with its history, and a reading that waits."""
    house = tmp_path / str(request.param.name)
    shutil.copytree(request.param, house)
    (house / "state" / "history" / "cm.cellar").mkdir(parents=True)
    (house / "state" / "history.sqlite").write_bytes(gzip.decompress((house / "history.sqlite.gz").read_bytes()))
    return house


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "devices").mkdir()
    (tmp_path / "house.toml").write_bytes(HOUSE.encode())
    (tmp_path / "devices" / "cellar.toml").write_text(CELLAR)
    (tmp_path / "devices" / "hall.toml").write_text('kind = "motion"\npin = 23\n# probe = 1\n')
    (tmp_path / "devices" / "cellar.toml").chmod(0o640)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_an_older_house_is_taken_as_it_is(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(old)
    assert main(["upgrade", "--check", "--since", old.name, "--config", str(old)]) == 0
    said = capsys.readouterr().out
    assert f"from penates {old.name} to {releases()[0].version}" in said
    assert ("what 0.2.0" in said) == (old.name == "0.1.0")
    assert "thermometer: a value that is more than 10 °C" in said
    assert "VictoriaMetrics:" not in said
    assert "history.sqlite: format 1, as this version has it" in said
    assert "outbox/cm.cellar when its sensor starts" in said
    assert files(old) == before
    assert main(["upgrade", "--config", str(old)]) == 0
    assert files(old) == before


def test_a_history_of_a_newer_version_is_named_before_anything_is_touched(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(old / "state" / "history.sqlite")) as database:
        database.execute("PRAGMA user_version = 9")
    before = files(old)
    assert main(["upgrade", "--check", "--config", str(old)]) == 78
    assert "format is 9, of a newer version of penates" in capsys.readouterr().out
    assert main(["upgrade", "--config", str(old)]) == 78
    assert "nothing was changed" in capsys.readouterr().err
    assert main(["history", "cellar", "--config", str(old)]) != 0
    assert "format is 9" in capsys.readouterr().err
    assert files(old) == before


def test_a_downgrade_is_called_one(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upgrade", "--check", "--since", "99.1", "--config", str(old)]) == 0
    assert "this is a downgrade: 99.1 is newer" in capsys.readouterr().out


def test_the_record_of_this_machine_says_nothing_about_another_house(
    old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "installed.json"
    record.write_text('{"version": "99.1"}')
    monkeypatch.setattr("penates.installer.install_record.RECORD", record)
    assert main(["upgrade", "--check", "--config", str(old)]) == 0
    assert "from penates 0.2.0 to" in capsys.readouterr().out


def test_renamed_settings_are_rewritten_and_all_else_stays(house: Path) -> None:
    changed = {one.file.file: one for one in renamed_settings(house, RENAMES)}
    said = [str(setting) for one in changed.values() for setting in one.settings]
    assert said[0].startswith("house.toml:6: 'server' is called 'host' since 0.4.0")
    copies = [one.write("0.5.1") for one in changed.values()]
    assert [one.name for one in copies] == ["house.toml.before-0.5.1.bak", "cellar.toml.before-0.5.1.bak"]
    assert [one.read_bytes().decode() for one in copies] == [HOUSE, CELLAR]
    now = HOUSE.replace("\nbeat_s   =", "\nheartbeat_s   =").replace("\nserver =", "\nhost =")
    assert (house / "house.toml").read_bytes().decode() == now.replace('\n# server = "l', '\n# host = "l')
    cellar = house / "devices" / "cellar.toml"
    assert cellar.read_text() == CELLAR.replace(" probe =", " serial =").replace("\tprobe =", "\tserial =")
    assert cellar.stat().st_mode & 0o777 == copies[1].stat().st_mode & 0o777 == 0o640
    assert renamed_settings(house, RENAMES) == []
    configuration = Configuration(house)
    assert [*configuration.all()] == ["cellar", "hall"]
    assert configuration.faults == []


def test_a_copy_never_takes_the_place_of_another(house: Path) -> None:
    taken = house / "devices" / "cellar.toml.before-1.bak"
    taken.write_text("of somebody's")
    *_, cellar = renamed_settings(house, RENAMES)
    assert cellar.write("1").name == "cellar.toml.before-1.2.bak"
    assert taken.read_text() == "of somebody's"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('kind = "thermometer"\n"probe" = "28-1"\n', "1: 'probe' is called 'serial' since 0.4.0, and it is written so"),
        ('kind = "thermometer"\nprobe = "28-1"\nserial = "28-2"\n', "which is there, too; remove one of them"),
    ],
)
def test_what_cannot_be_rewritten_is_named(house: Path, text: str, why: str) -> None:
    (house / "devices" / "cellar.toml").write_text(text)
    before = files(house)
    with pytest.raises(Fatal, match=why.replace("1: ", "2: ")):
        renamed_settings(house, RENAMES)
    assert files(house) == before


def test_an_unknown_setting_is_said_to_be_renamed(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renamed, "RENAMES", RENAMES)
    configuration = Configuration(house)
    configuration.all()
    assert [str(one) for one in configuration.faults if "serial" in str(one)] == [
        "devices/cellar.toml:2: no setting 'probe'; it is called 'serial' since 0.4.0; `penates upgrade` rewrites it"
    ]


def test_notes_that_do_not_concern_a_house_are_left_out(house: Path) -> None:
    texts = ["thermometer: one", "lcd: two", "`recorder`: three", "InfluxDB: four", "Python: five", "Root: six"]
    release = Release("1", "", tuple(Note(BREAKS, text) for text in texts))
    assert [note.text[-3:] for note in UpgradedHouse(house).concerning(release)] == ["one", "six"]


def test_versions_are_compared_by_their_numbers() -> None:
    assert sorted(["0.10.0", "0.9.1", "0.9.0.dev1", "0.2"], key=numbers) == ["0.2", "0.9.0.dev1", "0.9.1", "0.10.0"]
    assert [one.version for one in later("0.1.0")][-1] == "0.2.0"
    assert all(one.notes and numbers(one.version) for one in releases())
