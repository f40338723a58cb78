"""The broker's files, as they are planned."""

import dataclasses

import pytest

from bootstrap.config.toml_file import SettingsError
from bootstrap.errors import Fatal
from penates.broker.broker_plan import BrokerPlan, plan
from penates.broker.mosquitto_files import AccessFiles, hashed, sensors_that_go, users_in, with_those_that_go
from support.places import ME, MINE, Place

TO_KEEP = (
    "whoever connects by these settings would be shut out. To keep this broker as it is, for penates, too: "
    "sudo penates install --broker localhost:1884; to make it ours, with its users: "
    "sudo penates install --take-over (docs/BROKER.md, Beside the broker you have)"
)
BRIDGE = f"bridge:{hashed('bridge')}\n"


NOW = AccessFiles(
    "radio:$7$1$YQ==$Yg==\nhall:$7$1$YQ==$Yg==\n",
    "pattern read cm/%u/action/#\n\nuser radio\ntopic deny cm/s1/status/recording\ntopic write cm/s1/data/#\n"
    "topic write cm/s2/data/#\n",
)


def test_what_goes_keeps_its_access_until_it_has_ended() -> None:
    wanted = AccessFiles(
        "radio:$7$1$YQ==$Yg==\nlamp:$7$1$YQ==$Yg==\n",
        "pattern read cm/%u/action/#\n\nuser radio\ntopic write cm/s1/data/#\ntopic write cm/s3/data/#\n",
    )
    assert sensors_that_go(NOW, wanted) == {"hall", "s2"}
    both = with_those_that_go(NOW, wanted)
    assert both is not None
    assert users_in(both.users) == ["radio", "lamp", "hall"]
    assert both.allowed == NOW.allowed | wanted.allowed
    assert with_those_that_go(both, wanted) == both


def test_where_nothing_comes_all_stays_as_it_is_until_then() -> None:
    """The broker need not be told twice."""
    wanted = AccessFiles("radio:$7$1$YQ==$Yg==\n", NOW.rules.replace("topic write cm/s2/data/#\n", ""))
    assert with_those_that_go(NOW, wanted) == NOW
    assert with_those_that_go(wanted, wanted) is None
    assert with_those_that_go(wanted, NOW) is None
    assert with_those_that_go(AccessFiles("", ""), NOW) is None


def test_a_new_group_is_no_reason_to_fall_silent() -> None:
    wanted = AccessFiles(NOW.users, NOW.rules.replace("cm/", "z/"))
    both = with_those_that_go(NOW, wanted)
    assert both is not None
    assert {("", "pattern read cm/%u/action/#"), ("", "pattern read z/%u/action/#")} <= both.allowed


def test_a_guest_is_announced_by_itself_alone(place: Place) -> None:
    """Which group it is of we do not know."""
    place.make(guests=["garage"])
    rules = (place.site.private / "acl").read_text().split("\nuser garage\n")[1].split("\n\n")[0].splitlines()
    assert rules[3:-1] == [f"topic readwrite homeassistant/device/{group}-garage/config" for group in ("cm", "up")]
    place.house.device("b-a", 'kind = "door"\npin = 4\n')
    place.house.device("c", 'kind = "door"\npin = 5\ngroup = "cm-b"\n')
    with pytest.raises(
        SettingsError, match="'b-a' and 'a' would both be announced by homeassistant/device/cm-b-a/config"
    ):
        place.make(guests=["a"])


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        (
            "acl",
            "user bridge\n\n# more\nallow readwrite zigbee2mqtt/#\n",
            4,
            "it must be user NAME, or topic or pattern",
        ),
        ("acl", "topic\n", 1, "it must be user NAME"),
        ("acl", "topic read a/#/b\n", 1, "it must be an MQTT topic filter"),
        ("passwords", f"# bridges\n\n{BRIDGE}bridge2:in the clear\n", 4, "it must be a name and a hash"),
        ("passwords", "bridge:$7$101$abc$def\n", 1, "it must be a name and a hash"),
        ("passwords", BRIDGE.replace("bridge", "eyes"), 1, "'eyes' is defined twice, or is one of the house's own"),
        ("passwords", BRIDGE + BRIDGE, 1, "'bridge' is defined twice"),
    ],
)
def test_an_addition_by_which_the_broker_would_not_start(
    place: Place, name: str, text: str, line: int, why: str
) -> None:
    own = place.house.folder / "mosquitto"
    own.mkdir()
    (own / name).write_text(text)
    with pytest.raises(SettingsError) as refused:
        plan(place.site)
    assert str(refused.value).startswith(f"{own}/{name}:{line}: ")
    assert why in str(refused.value)
    assert "clear" not in str(refused.value)


def test_a_recorder_of_another_name_hears_what_its_file_says(place: Place) -> None:
    place.house.device("archive", 'kind = "recorder"\ngroups = ["up"]\nforeign = "tele/+/SENSOR"\nshare = "history"\n')
    place.make()
    rules = (place.site.private / "acl").read_text().split("\nuser archive\n")[1].split("\n\n")[0].splitlines()
    assert rules[0] == "topic read up/+/data/reading"
    last = [f"topic readwrite {group}/archive/status/recording" for group in ("cm", "up")]
    assert rules[-4:] == ["topic read tele/+/SENSOR", "topic read cm/archive/data/reading", *last]
    assert "\nuser recorder\ntopic read +/+/data/reading\n" in (place.site.private / "acl").read_text()


def differing(site: BrokerPlan) -> dict[str, str]:
    """As if root and Mosquitto were those who run the tests."""
    mine = [dataclasses.replace(one, owner=ME, group=MINE) for one in plan(site)]
    return {one.path.name: one.differs for one in mine if one.differs}


def test_a_second_run_has_nothing_to_do(place: Place) -> None:
    assert set(differing(place.site).values()) == {"new"}
    place.make()
    assert differing(place.site) == {}


def test_a_new_sensor_gets_a_secret_and_the_others_keep_theirs(place: Place) -> None:
    place.make()
    before = (place.site.private / "passwords").read_text()
    place.house.thermometer("roof")
    assert differing(place.site) == {"roof": "new", "passwords": "changed", "acl": "changed"}
    place.make()
    after = (place.site.private / "passwords").read_text()
    assert set(before.splitlines()) < set(after.splitlines())
    place.house.device("roof", "").unlink()
    assert differing(place.site) == {"passwords": "changed", "acl": "changed"}
    place.make()
    assert (place.site.private / "passwords").read_text() == before


def test_a_secret_of_ones_own_is_kept(place: Place) -> None:
    place.make()
    (place.house.folder / "secrets" / "door").write_bytes(b"my own\nand a note")
    assert differing(place.site) == {"passwords": "changed"}
    place.make()
    assert differing(place.site) == {}
    (place.house.folder / "secrets" / "door").write_bytes(b"\n")
    with pytest.raises(Fatal, match="secrets/door is empty; remove it for a new secret"):
        plan(place.site)


def test_a_guest_is_a_user(place: Place) -> None:
    place.make(guests=["garage"])
    assert (place.house.folder / "secrets" / "garage").exists()
    assert "\ngarage:$7$" in (place.site.private / "passwords").read_text()


def test_who_may_read_what(place: Place) -> None:
    found = {one.path.relative_to(place.house.folder.parent): one for one in plan(place.site)}
    may = {str(path): f"{one.mode:o} {one.owner}:{one.group}" for path, one in found.items()}
    for secret in ("admin", "recorder", "door", "attic"):
        assert may[f"house/secrets/{secret}"] == "600 root:root"
    assert may["house/secrets"] == "750 root:penates-eyes"
    assert may["house/secrets/eyes"] == "640 root:penates-eyes"
    assert may["house/certs"] == "700 root:root"
    assert may["house/certs/ca.key"] == may["house/certs/server.key"] == "600 root:root"
    assert may["house/ca.pem"] == may["mosquitto/conf.d/penates-listeners.conf"] == "644 root:root"
    assert may["mosquitto/penates"] == "750 root:mosquitto"
    for name in ("acl", "passwords", "server.pem", "server.key"):
        assert may[f"mosquitto/penates/{name}"] == "600 mosquitto:mosquitto"
    passwords = [(place.house.folder / "secrets" / "door"), place.site.private / "passwords"]
    assert all(one.secret for one in found.values() if one.path in passwords)


def test_one_name_for_all_sensors_is_a_fault(place: Place) -> None:
    place.house.write(1, broker='username = "house"')
    with pytest.raises(SettingsError, match=r"house\.toml:6: remove 'username'"):
        plan(place.site)


def test_another_way_in_is_found(place: Place) -> None:
    place.make()
    included = f"include_dir {place.site.conf_d}\ninclude_dir {place.site.mosquitto}/more\n"
    (place.site.mosquitto / "mosquitto.conf").write_text(f"persistence true\n  listener 1884\n{included}")
    (place.site.conf_d / "old.conf").write_text("# listener 1\nallow_anonymous true\n")
    (place.site.mosquitto / "more").mkdir()
    (place.site.mosquitto / "more" / "x.conf").write_text("plugin /usr/lib/all.so\nplugin /usr/lib/persist_sqlite.so\n")
    with pytest.raises(SettingsError) as refused:
        plan(place.site)
    assert str(refused.value).splitlines() == [
        f"{place.site.mosquitto}/mosquitto.conf:2: 'listener 1884' also controls access",
        f"{place.site.conf_d}/old.conf:2: 'allow_anonymous true' also controls access",
        f"{place.site.mosquitto}/more/x.conf:1: 'plugin /usr/lib/all.so' also controls access; {TO_KEEP}",
    ]


@pytest.mark.parametrize("line", ["max_connections 50", "certfile /etc/x.pem", "maximum_qos 1", "crlfile /etc/x"])
def test_a_setting_that_opens_a_listener_of_its_own_is_found(place: Place, line: str) -> None:
    place.make()
    (place.site.mosquitto / "mosquitto.conf").write_text(f"include_dir {place.site.conf_d}\n")
    (place.site.conf_d / "site.conf").write_text(f"# my limits\n{line}\n")
    with pytest.raises(SettingsError) as refused:
        plan(place.site)
    why = f"{line!r} is before any listener and opens one, on port 1883; put # before it"
    assert str(refused.value) == f"{place.site.conf_d}/site.conf:2: {why}"


def test_a_rule_before_the_first_user_would_be_our_last_users(place: Place) -> None:
    own = place.house.folder / "mosquitto"
    own.mkdir()
    (own / "acl").write_text("# everybody\ntopic readwrite #\npattern read x/%u\ntopic read a\nuser z\ntopic read b\n")
    with pytest.raises(SettingsError) as refused:
        plan(place.site)
    assert [str(one)[: len(f"{own}/acl:2: put 'user NAME'")] for one in refused.value.faults] == [
        f"{own}/acl:{number}: put 'user NAME'" for number in (2, 4)
    ]


def test_settings_that_mosquitto_would_not_read_are_not_made(place: Place) -> None:
    place.make()
    (place.site.mosquitto / "mosquitto.conf").write_text("persistence true\n")
    with pytest.raises(SettingsError, match=rf"mosquitto\.conf:1: add 'include_dir {place.site.conf_d}'"):
        plan(place.site)
