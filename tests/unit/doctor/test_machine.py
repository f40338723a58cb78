"""What is wrong with the machine: its clock, its disk, its outbox, its broker's settings."""

import stat
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from bootstrap.config.model import SensorSettings
from bootstrap.contract import timestamps
from bootstrap.outbox.folder import outbox_folder
from penates.doctor import machine
from penates.doctor.findings import Verdict
from penates.doctor.machine import SensorUser
from support.places import Place
from support.world import House

GOOD, BAD, UNKNOWN = Verdict


# The machine.


def test_a_clock_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamps, "synchronised", lambda: False)
    assert machine.clock_is_set(tmp_path).verdict is BAD
    (tmp_path / ".dockerenv").touch()
    assert machine.clock_is_set(tmp_path).verdict is UNKNOWN
    monkeypatch.setattr(timestamps, "synchronised", lambda: True)
    assert machine.clock_is_set(tmp_path).verdict is GOOD


def test_a_disk_that_is_full_read_only_or_has_room(tmp_path: Path) -> None:
    assert machine.disk(tmp_path / "to" / "be" / "made").verdict is GOOD
    full = machine.disk(tmp_path, least_mb=1e12)
    assert (full.verdict, full.text.endswith(f"MB are free for {tmp_path}")) == (BAD, True)
    # /proc has neither room nor a way to be written: as a card that the kernel has given up.
    assert machine.disk(Path("/proc")).verdict is BAD


def test_what_waits_and_what_was_refused(cellar_settings: SensorSettings) -> None:
    folder = outbox_folder(cellar_settings.folders.state, cellar_settings.topics)
    me, stranger = SensorUser.me(), SensorUser("stranger", 12345, frozenset())
    assert [*machine.outbox(cellar_settings, me)] == []
    cellar_settings.folders.state.mkdir(mode=0o755)
    (refused,) = machine.outbox(cellar_settings, stranger)
    assert (refused.check, refused.verdict) == ("folder", BAD)
    folder.mkdir(parents=True, mode=0o755)
    (folder / "0000000001.spill").write_bytes(b"x" * 1_500_000)
    (kept,) = machine.outbox(cellar_settings, me)
    assert (kept.verdict, kept.text) == (GOOD, "1.5 MB of readings are kept")
    (folder / "dead_letters.jsonl").write_text("{}\n")
    checks = {one.check: one.verdict for one in machine.outbox(cellar_settings, stranger)}
    assert checks == {"folder": BAD, "on disk": GOOD, "dead letters": BAD}


def test_a_user_may_what_owner_group_and_mode_say(tmp_path: Path) -> None:
    file = tmp_path / "node"
    file.touch()
    file.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH)
    owner, group = file.stat().st_uid + 1000, file.stat().st_gid
    assert SensorUser("member", owner, frozenset({group})).may(file)
    assert not SensorUser("stranger", owner, frozenset()).may(file)
    assert SensorUser("stranger", owner, frozenset()).may(file, 0o4)
    assert SensorUser("root", 0, frozenset()).may(file)
    assert not SensorUser("owner", owner - 1000, frozenset()).may(file, 0o1) or owner == 1000


LOSSES = {
    "persistence": "persistence true",
    "max_queued": "max_queued_messages 200000",
    "autosave": "autosave_interval 60",
}


@pytest.mark.parametrize("left_out", ["", *LOSSES])
def test_what_the_broker_of_this_machine_would_lose(house: House, tmp_path: Path, left_out: str) -> None:
    house.write(1883, log="[history]\nrecorder = true")
    configuration = Configuration(house.folder).house
    assert configuration
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "penates.conf").write_text(
        "\n".join(row for name, row in LOSSES.items() if name != left_out)
    )
    conf = tmp_path / "mosquitto.conf"
    assert [*machine.mosquitto(configuration, conf)] == []
    conf.write_text(f"# ours\n  persistence false\ninclude_dir {tmp_path}/conf.d\n")
    (about,) = machine.mosquitto(configuration, conf)
    assert (about.verdict, f"({left_out}" in about.text) == (BAD if left_out else GOOD, bool(left_out))


def test_our_own_settings_of_the_broker_lose_nothing(house: House, tmp_path: Path) -> None:
    place = Place(house, tmp_path / "mosquitto")
    place.house.thermometer()
    place.make()
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"include_dir {place.site.conf_d}\n")
    house.write(place.site.tls_port, log="[history]\nrecorder = true")
    configuration = Configuration(house.folder).house
    assert configuration
    (about,) = machine.mosquitto(configuration, conf)
    assert about.verdict is GOOD


@pytest.mark.parametrize(
    ("served", "present", "verdict"),
    [(1, True, GOOD), (0, True, BAD), (None, True, UNKNOWN), (0, False, UNKNOWN)],
)
def test_hardware_restarts_a_machine_that_hangs(served: int | None, verdict: Verdict, *, present: bool) -> None:
    assert machine.watchdog(served=served, present=present).verdict is verdict
