"""The beginning of a house: its files, what is adopted, and what is asked."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from bootstrap.config.loader import Configuration, check, open_house
from bootstrap.history.stores import StoreSettings
from penates.__main__ import main
from penates.files.new_house import NewHouse
from support.kernel_files import KernelFiles
from support.world import free_port

SERIAL = "28-0316a2795fff"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with a probe, a chip, and a humidity sensor of which one cannot know which it is."""
    files = KernelFiles(tmp_path / "machine/sys")
    files.one_wire(SERIAL, "21500")
    files.iio("bme280", "1-0076", in_temp_input="21000")
    files.iio("dht11", "dht11@4", in_temp_input="21000")
    return tmp_path / "machine"


def penates(folder: Path, *words: str, broker: bool = True) -> SimpleNamespace:
    """A command in this process; unless said otherwise, the broker is one that is not there."""
    where = ["--broker", f"127.0.0.1:{free_port()}"] if broker and words[0] == "init" else []
    with redirect_stdout(StringIO()) as stdout, redirect_stderr(StringIO()) as stderr:
        code = main([*words, *where, "--config", str(folder)])
    return SimpleNamespace(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


@contextmanager
def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> Iterator[None]:
    """Somebody at a terminal who has typed these answers."""
    far, near = os.openpty()
    os.write(far, "".join(f"{one}\n" for one in answers).encode())
    try:
        with monkeypatch.context() as patch, os.fdopen(near) as stream:
            patch.setattr(sys, "stdin", stream)
            yield
    finally:
        os.close(far)


def test_an_empty_folder_becomes_a_house_that_has_no_faults(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "config"
    done = penates(folder, "init", "--root", str(root))
    assert (done.code, done.stderr) == (0, "")
    assert {one.topics.group for one in check(folder)} == {"home"}
    kinds = {name: one.kind for name, one in Configuration(folder).all().items()}
    assert kinds == {"pi": "pi", "recorder": "recorder", "thermometer": "thermometer", "bme280": "climate"}
    assert open_house(folder)[1].history.recorder
    assert "There is no broker yet" in done.stdout
    assert f"Next: penates check --config {folder} && penates supervisor --config {folder}" in done.stdout
    for file in (folder / "house.toml", folder / "devices/thermometer.toml"):
        assert sum(row.startswith("## ") for row in file.read_text().splitlines()) > 3


def test_what_is_there_stays_as_it_is_and_what_is_new_is_adopted(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "config"
    penates(folder, "init", "--root", str(root), "--group", "cabin")
    before = {file: file.read_bytes() for file in folder.rglob("*.toml")}
    KernelFiles(root / "sys").one_wire("28-0316a2795ffe", "21500")
    done = penates(folder, "init", "--root", str(root), "--group", "other")
    assert f"{folder}/house.toml was there, and stays as it is" in done.stdout
    after = {file: file.read_bytes() for file in folder.rglob("*.toml")}
    assert {file.name for file in after.keys() - before.keys()} == {"thermometer-2.toml"}
    assert {file: after[file] for file in before} == before


def test_the_options_reach_the_house(tmp_path: Path) -> None:
    folder, password = tmp_path / "config", tmp_path / "password"
    password.write_text("se cret\n")
    words = ["--group", "cabin", "--username", "the cabin", "--password-file", str(password), "--recorder", "none"]
    penates(folder, "init", "--no-scan", "--no-home-assistant", *words)
    house = open_house(folder)[1]
    assert (house.group, house.broker.username, house.broker.hosts) == ("cabin", "the cabin", ["127.0.0.1"])
    assert (house.homeassistant.enabled, house.history.recorder) == (False, False)
    secret = folder / str(house.broker.password_file)
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("se cret\n", 0o600)
    assert [*Configuration(folder).all()] == ["pi"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--password-file", "x"], "--password-file needs --username NAME"),
        (["--username", "x", "--password-file", "/nowhere"], "--password-file /nowhere: [Errno 2]"),
        (["--ca-file", "/dev/null"], "--ca-file /dev/null must be a PEM certificate"),
    ],
)
def test_a_wrong_option_leaves_nothing_behind(tmp_path: Path, words: list[str], why: str) -> None:
    done = penates(tmp_path / "config", "init", *words)
    assert (done.code, why in done.stderr, (tmp_path / "config").exists()) == (78, True, False)


def test_no_other_password_stays_unnoticed(tmp_path: Path) -> None:
    folder, password = tmp_path / "config", tmp_path / "password"
    words = ["init", "--no-scan", "--username", "..", "--password-file", str(password)]
    password.write_text("one\n")
    assert penates(folder, *words).code == 0
    (folder / "house.toml").unlink()
    assert penates(folder, *words).code == 0, "the same password"
    (folder / "house.toml").unlink()
    password.write_text("two\n")
    done = penates(folder, *words)
    assert (done.code, "secrets/%2E%2E cannot be written: another one is there" in done.stderr) == (78, True)
    assert not (folder / "house.toml").exists()


@pytest.mark.parametrize(("store", "login"), [("influxdb1", "username, password_file"), ("influxdb", "token_file")])
def test_what_a_server_of_a_history_still_needs_is_said(tmp_path: Path, store: str, login: str) -> None:
    folder = tmp_path / "config"
    done = penates(folder, "init", "--no-scan", "--recorder", store)
    (line,) = (line for line in done.stdout.splitlines() if "still to be set there" in line)
    assert login in line
    settings = line.partition("we are there: ")[2].partition(" (")[0].split(", ")
    assert {*settings} | {"ca_file"} == StoreSettings.of[store]
    assert StoreSettings.of[store] <= {*vars(Configuration(folder).all()["recorder"].device)}


def test_a_house_that_was_left_half_written_has_a_recorder(tmp_path: Path) -> None:
    house = NewHouse(store="sqlite").write(tmp_path)
    assert [next(house).name, next(house).name] == ["house.toml", "recorder.toml"]
    assert [*NewHouse(store="sqlite").write(tmp_path)] == []
    assert [*Configuration(tmp_path).all()] == ["recorder"]


def test_a_password_that_is_not_typed_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, asked = tmp_path / "config", ["", f"127.0.0.1:{free_port()}", "me"]

    def typed_unseen(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", typed_unseen)
    with typed(monkeypatch, *asked):
        done = penates(folder, "init", "--no-scan", broker=False)
    assert (done.code, "the password of me at 127.0.0.1 was not entered" in done.stderr) == (78, True)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_named() -> None:
    done = penates(Path("/proc/penates"), "init", "--no-scan")
    assert (done.code, done.stderr) == (
        78,
        "penates init: /proc/penates cannot be written: No such file or directory\n",
    )


def test_at_a_terminal_everything_is_asked(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "config"
    house = ["a b", "cabin", f"127.0.0.1:{free_port()}", "", "n", "n"]  # no group has a space
    devices = ["bath", "2", "", "-"]  # the chip; the second of what it may be, with the name proposed; the probe
    with typed(monkeypatch, *house, *devices):
        done = penates(folder, "init", "--root", str(root), broker=False)
    assert "a group must be 1 to 64 ASCII letters" in done.stdout
    chips = {name: vars(one.device).get("chip") for name, one in Configuration(folder).all().items()}
    assert {name: str(chip) for name, chip in chips.items() if chip} == {"bath": "BME280", "dht22": "DHT22"}
    written = open_house(folder)[1]
    assert (written.homeassistant.enabled, written.history.recorder) == (False, False)
    assert {one.topics.group for one in check(folder)} == {"cabin"}


def test_scan_prints_what_can_be_read_by_a_program_too(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "config"
    penates(folder, "init", "--root", str(root))
    shown = json.loads(penates(folder, "scan", "--root", str(root), "--json").stdout)
    found = {one["place"]: one for one in shown["found"]}
    assert (found[SERIAL]["adopted"], found["dht11@4"]["adopted"]) == ("home/thermometer", None)
    assert [one["part"] for one in found["dht11@4"]["offers"]] == ["DHT11", "DHT22"]
    text = penates(folder, "scan", "--root", str(root)).stdout
    assert f"  {SERIAL}: DS18B20 (adopted as home/thermometer)\n" in text
    assert "      penates new climate NAME chip=DHT22 " in text
    (folder / "devices/thermometer.toml").write_text("kind = ")
    faulty = penates(folder, "scan", "--root", str(root))
    assert (faulty.code, "the house has faults (penates check)" in faulty.stderr) == (0, True)
    assert f"      penates new thermometer NAME serial={SERIAL}" in faulty.stdout
