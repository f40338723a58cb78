"""The broker's files, tried by the real broker before they are installed."""

import dataclasses
from pathlib import Path

import pytest

from bootstrap.config.toml_file import SettingsError
from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.broker_plan import plan, trial
from penates.broker.trial import BrokerTrial
from support.places import ME, MINE, Place
from support.world import MOSQUITTO

HOUSES_OWN = "user zigbee2mqtt\ntopic readwrite zigbee2mqtt/#\n"


@pytest.fixture
def conf_d(place: Place) -> Path:
    """Debian's configuration, of which nothing may be touched."""
    conf_d = place.site.conf_d
    conf_d.mkdir(parents=True)
    kept = ["persistence true", "persistence_location /nonexistent/", "pid_file /nonexistent/pid", "user root"]
    lines = [*kept, "log_dest file /nonexistent/log", f"include_dir {conf_d}", ""]
    (place.site.mosquitto / "mosquitto.conf").write_text("\n".join(lines))
    return conf_d


def tried(place: Place) -> BrokerTrial:
    planned = [dataclasses.replace(one, owner=ME, group=MINE) for one in plan(place.site)]
    assert MOSQUITTO
    return trial(place.site, planned, MOSQUITTO)


def test_what_we_make_succeeds_and_leaves_nothing_behind(place: Place, conf_d: Path) -> None:
    (conf_d / "bridge.conf").write_text("connection far\naddress 192.0.2.1\ntopic # out\n")
    own = place.house.folder / "mosquitto"
    own.mkdir()
    (own / "acl").write_text(f"pattern read cm/%u/weather\n{HOUSES_OWN}")
    tried(place).require_success()
    assert [file.name for file in conf_d.iterdir()] == ["bridge.conf"]
    assert not (place.site.mosquitto / "penates").exists()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("max_keepalive 60\nclientid_prefixes fleet-\n", 2, "refuses the user"),
        ("# mine\nno_such_setting 1\n", 2, "does not start: "),
        ("allow_zero_length_clientid false\n", 1, "refuses the user"),
    ],
)
def test_a_line_that_spoils_it_is_named(place: Place, conf_d: Path, text: str, line: int, why: str) -> None:
    (conf_d / "mine.conf").write_text(text)
    with pytest.raises(SettingsError) as refused:
        tried(place).require_success()
    assert str(refused.value).startswith(f"{conf_d}/mine.conf:{line}: ")
    assert f"is why Mosquitto {why}" in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "line", "why"),
    [
        (f"{HOUSES_OWN}user lamp\ntopic write cm/door/#\n", 4, "accepts cm/door/data/installing from the user lamp"),
        ("pattern readwrite #\n", 1, "accepts cm/cellar/data/installing from the user attic"),
        ("\n# all may look\npattern read +/+/action/#\n", 3, "delivers cm/cellar/action/installing to the user attic"),
    ],
)
def test_a_rule_that_lets_one_speak_for_another_is_named(
    place: Place, conf_d: Path, rules: str, line: int, why: str
) -> None:
    assert conf_d.exists()
    own = place.house.folder / "mosquitto"
    own.mkdir()
    (own / "acl").write_text(rules)
    with pytest.raises(SettingsError) as refused:
        tried(place).require_success()
    assert str(refused.value).startswith(f"{own}/acl:{line}: ")
    assert f"is why Mosquitto {why}" in str(refused.value)


def test_another_way_in_that_no_list_foresees_is_seen(
    place: Place, conf_d: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an option of a later Mosquitto would be: here the list that names such options is empty."""
    monkeypatch.setattr("penates.broker.mosquitto_files.OF_A_LISTENER", set())
    (conf_d / "limits.conf").write_text("max_connections 50\n")
    with pytest.raises(SettingsError, match=r"limits\.conf:1: 'max_connections 50' is why Mosquitto"):
        tried(place).require_success()


def test_what_is_nobody_elses_fault_is_told(place: Place, conf_d: Path) -> None:
    assert conf_d.exists()
    no_broker = dataclasses.replace(tried(place), program="/bin/false")
    with pytest.raises(Unavailable, match="nothing was changed: with the new files, Mosquitto does not start"):
        no_broker.require_success()
