"""A Mosquitto of others, as its files describe it."""

from pathlib import Path

import pytest

from bootstrap.config.toml_file import SettingsError
from penates.broker.local_mosquitto import END, faults_of, in_use, local_mosquitto, with_ours, without_ours
from penates.broker.mosquitto_files import hashed
from penates.broker.taken_over import MARK, brought_along, put_aside


def conf(folder: Path, *lines: str) -> Path:
    (folder / "mosquitto.conf").write_text("".join(f"{line}\n" for line in lines))
    return folder


def test_a_plugin_that_stores_is_none_for_users_wherever_it_stands(tmp_path: Path) -> None:
    stores, decides = "plugin /usr/lib/mosquitto_persist_sqlite.so", "plugin /usr/lib/mosquitto_dynamic_security.so"
    found = local_mosquitto(conf(tmp_path, "listener 1883", "allow_anonymous true", stores))
    assert found
    assert (found.port, found.passwords) == (1883, None)
    with pytest.raises(SettingsError, match=r"dynamic_security\.so' decides who may connect"):
        local_mosquitto(conf(tmp_path, "listener 1883", decides, "allow_anonymous true", stores))


def test_users_in_a_folder_that_is_called_like_such_a_plugin_are_users(tmp_path: Path) -> None:
    assert in_use(conf(tmp_path, "password_file /srv/persistent/users"), [])
    assert not in_use(conf(tmp_path, "plugin /usr/lib/mosquitto_persist_sqlite.so"), [])


def test_without_the_end_of_our_part_nothing_of_theirs_is_taken_for_ours(tmp_path: Path) -> None:
    text = with_ours("ann:x\n", "pi:y\n")
    assert without_ours(f"{text}bob:z\n") == "ann:x\nbob:z\n"
    broken = f"{text}bob:z\n".replace(f"{END}\n", "")
    gone = r"users:2: begins our part, and the line that ends it is gone"
    with pytest.raises(SettingsError, match=gone), faults_of(tmp_path / "users", broken):
        without_ours(broken)


def test_what_belongs_to_a_listener_is_put_aside_with_it(tmp_path: Path) -> None:
    lines = ["listener 8883", "certfile /c", "keyfile /k", "persistence true", "listener 9001", "protocol websockets"]
    (changed,) = put_aside(conf(tmp_path, *lines), [])
    assert changed.content
    kept = [line for line in changed.content.decode().splitlines() if not line.startswith(MARK)]
    assert kept == ["persistence true"]


def test_users_of_a_second_listener_are_not_silently_left_behind(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).write_text(f"{name}:{hashed(name)}\n")
    first, second = (f"password_file {tmp_path / name}" for name in ("one", "other"))
    both = conf(tmp_path, "per_listener_settings true", "listener 1883", first, "listener 1884", second)
    with pytest.raises(SettingsError, match="is a second password_file"):
        [*brought_along(both, [])]
    (_, users, _) = brought_along(conf(tmp_path, "listener 1883", first, "listener 1884", first), [])
    assert users.content == (tmp_path / "one").read_bytes()


def test_a_file_of_theirs_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "users").write_bytes(b"k\xfcche:x\n")
    with pytest.raises(SettingsError, match="not UTF-8, at its byte 1"):
        [*brought_along(conf(tmp_path, f"password_file {tmp_path / 'users'}"), [])]
