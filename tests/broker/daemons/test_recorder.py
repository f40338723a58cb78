"""The recorder, its broker and its file: every reading once, at its own time, whatever dies."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bootstrap.contract import timestamps
from bootstrap.history.reader import DAY_S
from bootstrap.history.sqlite.reader import SqliteReader
from support.history import stored, wait_stored
from support.paths import FULL_DISK, OTHER_CLOCK, QUICK
from support.secrets_and_certificates import write_certificates
from support.world import PATIENCE_S, Broker, Eyes, House, Running, Wanted, eventually, free_port, killed_ten_times

TOPIC = "cm/attic/data/reading"
TIME_US = 1_795_206_667_123_456


@pytest.fixture
def keeping(new_broker: Callable[..., Broker], tmp_path: Path) -> Broker:
    """A broker that keeps sessions and their queues."""
    lines = ("persistence true", f"persistence_location {tmp_path}/keeping/", "max_queued_messages 100000")
    return new_broker("keeping", *lines)


@pytest.fixture
def recorder(house: House, keeping: Broker) -> House:
    house.write(keeping.port)
    house.device("recorder", 'kind = "recorder"\nevery_s = 0.2\nkeep_days = 36500\n')
    return house


@pytest.fixture
def sensor(keeping: Broker) -> Iterator[Eyes]:
    """Somebody who publishes."""
    eyes = Eyes(keeping.port)
    yield eyes
    eyes.close()


def reading(seq: int, **fields: object) -> str:
    return json.dumps({"time": "2026-11-20T20:31:07.123456Z", "run": "r1", "seq": seq, **fields})


def test_a_reading_is_stored_once_at_its_own_time(recorder: House, sensor: Eyes) -> None:
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    for seq in (1, 2, 1):
        sensor.publish(TOPIC, reading(seq, temperature=21.5, open=True, word="dry"))
    assert wait_stored(recorder, 2) == [
        (seq, TIME_US, {"temperature": 21.5, "open": 1.0, "word": "dry"}) for seq in (1, 2)
    ]
    assert running.stop() == 0
    (announced,) = running.logged("warning")
    assert "a new history is begun" in announced


def test_a_history_that_is_gone_is_missed_and_one_that_is_removed_is_written_again(
    recorder: House, sensor: Eyes
) -> None:
    file = recorder.folder / "state" / "history.sqlite"
    first = recorder.run("recorder")
    first.wait_log("subscribed")
    sensor.publish(TOPIC, reading(1))
    wait_stored(recorder, 1)
    first.stop()
    since = sensor.on("cm/recorder/status/state")[-1].at
    kept = file.rename(file.with_name("kept"))
    running = recorder.run("recorder")
    running.wait_log("it is gone")
    sensor.publish(TOPIC, reading(2))
    sensor.wait(lambda seen: [one for one in seen if one.at > since and one.value == "fault"], "it says fault")
    assert not file.exists()
    kept.rename(file)
    wait_stored(recorder, 2)
    for one in file.parent.glob("history.sqlite*"):
        one.unlink()
    sensor.publish(TOPIC, reading(3))
    running.wait_log("it was written again")
    assert [seq for seq, *_ in wait_stored(recorder, 3)] == [1, 2, 3]
    assert running.stop() == 0


def test_what_is_said_while_it_is_away_is_stored_when_it_is_back(recorder: House, sensor: Eyes) -> None:
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    for round_ in range(3):
        for seq in range(100 * round_, 100 * round_ + 50):
            sensor.publish(TOPIC, reading(seq, level=seq))
        running.send(signal.SIGKILL)
        running.wait()
        for seq in range(100 * round_ + 50, 100 * round_ + 100):
            sensor.publish(TOPIC, reading(seq, level=seq))
        running = recorder.run("recorder")
    assert [(seq, fields["level"]) for seq, _, fields in wait_stored(recorder, 300)] == [(n, n) for n in range(300)]


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_hundred_thousand_readings_while_the_recorder_is_killed_ten_times(recorder: House, sensor: Eyes) -> None:
    killed_ten_times(
        recorder, lambda first, count: sensor.flood(TOPIC, [reading(n) for n in range(first, first + count)])
    )
    sensor.publish("cm/end/data/reading", reading(0))  # the broker keeps them in order
    eventually(lambda: stored(recorder, "cm/end"), "the last one is stored", 300)
    assert [seq for seq, *_ in stored(recorder)] == [*range(100_000)]


def test_what_is_retained_is_no_history_and_what_is_no_reading_is_shown(recorder: House, sensor: Eyes) -> None:
    sensor.publish(TOPIC, reading(1, level=1), retain=True)
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    sensor.publish(TOPIC, "21.5")
    sensor.publish(TOPIC, reading(2, level=2))
    assert [seq for seq, *_ in wait_stored(recorder, 1)] == [2]
    letters = recorder.folder / "state" / "outbox" / "cm.recorder" / "dead_letters.jsonl"
    assert json.loads(letters.read_text())["payload"] == "21.5"
    sensor.wait(
        lambda seen: [one for one in seen if one.topic == "cm/recorder/data/rejected" and one.value == 1], "counted"
    )


def test_what_others_say_has_the_time_that_is_right_in_the_end(
    recorder: House, keeping: Broker, sensor: Eyes, tmp_path: Path
) -> None:
    """The machine starts two years ago and is set; then its clock is two hours ahead for a while."""
    clock = tmp_path / "clock"

    def set_clock(offset_s: int) -> None:
        (tmp_path / "next clock").write_text(str(offset_s))
        (tmp_path / "next clock").replace(clock)

    def recorded(count: int) -> list[float]:
        found = sorted(wait_stored(recorder, count, "home/attic"), key=lambda row: row[2]["temperature"])
        return [time_us / 1e6 - time.time() for _, time_us, _ in found]

    set_clock(-2 * 365 * 86_400)
    recorder.write(keeping.port, top="heartbeat_s = 0.2")
    recorder.device("recorder", 'kind = "recorder"\nevery_s = 0.2\nkeep_days = 36500\nforeign = "home/#"\n')
    running = recorder.run("recorder", program=[OTHER_CLOCK, str(clock)])
    running.wait_log("subscribed")
    sensor.publish("home/attic/temperature", "1")
    beat = "cm/recorder/status/heartbeat"
    sensor.wait(lambda seen: [one for one in seen if one.topic == beat and one.value["waiting"]], "it is held")
    assert not stored(recorder, "home/attic")
    set_clock(0)
    assert recorded(1) == pytest.approx([0], abs=PATIENCE_S)
    set_clock(7200)
    sensor.publish("home/attic/temperature", "2")
    recorded(2)
    set_clock(0)
    sensor.publish("home/attic/temperature", "3")
    assert recorded(3) == pytest.approx([0, 7200, 0], abs=2 * PATIENCE_S)


def test_a_file_that_is_taken_costs_nothing_and_is_a_fault(recorder: House, sensor: Eyes) -> None:
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    file = recorder.folder / "state" / "history.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sensor.publish(TOPIC, reading(1, level=1))
        sensor.wait_value("cm/recorder/status/state", "fault")
        other.execute("ROLLBACK")
    assert [seq for seq, *_ in wait_stored(recorder, 1)] == [1]
    fault = [one.value for one in sensor.on("cm/recorder/status/state")].index("fault")
    sensor.wait_value("cm/recorder/status/state", "online", since=fault)


@pytest.mark.exact
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_large_messages_cost_no_memory_and_no_other_message(
    recorder: House, keeping: Broker, sensor: Eyes, protocol: str
) -> None:
    """MQTT 5 asks the broker for none; of the others only the beginning is kept."""
    recorder.write(keeping.port, broker=f'protocol = "{protocol}"')
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    before_kb = peak_kb(running)
    sensor.flood(TOPIC, 20 * ["x" * 1_900_000])()
    sensor.publish(TOPIC, reading(1, level=1))
    assert [seq for seq, *_ in wait_stored(recorder, 1)] == [1]
    assert peak_kb(running) - before_kb < 20_000
    if protocol == "3.1.1":
        sensor.wait_value("cm/recorder/data/rejected", 20)


def peak_kb(running: Running) -> int:
    """The most memory that it has had."""
    status = Path(f"/proc/{running.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


# How far it is.


def test_its_heartbeat_says_how_far_it_is(recorder: House, keeping: Broker, sensor: Eyes) -> None:
    recorder.write(keeping.port, top="heartbeat_s = 0.2")
    recorder.device("recorder", 'kind = "recorder"\nevery_s = 0.2\ngroups = ["home"]\n')
    topic = "home/attic/data/reading"
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    beats: Wanted = lambda seen: [one.value for one in seen if one.topic == "cm/recorder/status/heartbeat"]  # noqa: E731

    def last(wanted: Callable[[Any], bool]) -> Wanted:
        return lambda seen: [beat for beat in beats(seen)[-1:] if wanted(beat)]

    assert sensor.wait(last(lambda beat: beat["recorded"] == 0), "nothing is stored")[0]["lag_s"] is None
    moment = timestamps.utc(time.time_ns() // 1000 - 3_600_000_000)
    sensor.publish(topic, reading(1, level=1).replace("2026-11-20T20:31:07.123456Z", moment))
    beat = sensor.wait(last(lambda beat: beat["recorded"] == 1 and beat["waiting"] == 0), "one is stored")[0]
    assert 3600 <= beat["lag_s"] <= 3600 + PATIENCE_S


# What others say.

FOREIGN = 'foreign = ["zigbee/+", "zigbee/+/temperature", "tele/+/SENSOR"]'


def values(house: House) -> dict[str, list[dict[str, object]]]:
    """What is stored of each sensor but the recorder itself, in order."""
    query = "SELECT name, fields FROM reading JOIN sensor ON id = sensor WHERE name != 'cm/recorder' ORDER BY time"
    found: dict[str, list[dict[str, object]]] = {}
    with closing(sqlite3.connect(house.folder / "state" / "history.sqlite")) as database:
        for name, fields in database.execute(query):
            found.setdefault(name, []).append(json.loads(fields))
    return found


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_others_say_is_stored_as_of_its_arrival(
    recorder: House, keeping: Broker, sensor: Eyes, protocol: str
) -> None:
    recorder.write(keeping.port, broker=f'protocol = "{protocol}"')
    recorder.device("recorder", f'kind = "recorder"\nevery_s = 0.2\n{FOREIGN}\n')
    sensor.publish("zigbee/attic/temperature", "19", retain=True)
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    before_us = time.time_ns() // 1000
    for payload in ("21.5", "21.5", "true", "unknown", "[1]", "null", ""):
        sensor.publish("zigbee/attic/temperature", payload, retain=payload == "21.5")
    sensor.publish("zigbee/attic/humidity", "40")
    sensor.publish("zigbee/door", json.dumps({"contact": True, "battery": 97, "update": {"state": "idle"}, "l": []}))
    sensor.publish("tele/plug/SENSOR", json.dumps({"Time": "2026", "AM2301": {"Temperature": -1.5, "no": {"x": 1}}}))
    eventually(lambda: "tele/plug/SENSOR" in values(recorder), "the last one is stored")
    assert values(recorder) == {
        "zigbee/attic": [{"temperature": value} for value in (21.5, 21.5, 1.0, "unknown")],
        "zigbee/door": [{"contact": 1.0, "battery": 97.0, "update_state": "idle"}],
        "tele/plug/SENSOR": [{"Time": "2026", "AM2301_Temperature": -1.5}],
    }
    assert all(before_us <= time_us <= time.time_ns() // 1000 for _, time_us, _ in stored(recorder, "zigbee/attic"))
    letters = (recorder.folder / "state" / "outbox" / "cm.recorder" / "dead_letters.jsonl").read_text().splitlines()
    assert [json.loads(letter)["payload"] for letter in letters] == ["[1]", "null", ""]
    assert recorder.penates("history", "zigbee/attic", "--csv").stdout.count("temperature,21.5") == 2


def test_what_others_say_is_another_list_after_a_reload(recorder: House, sensor: Eyes) -> None:
    """The session at the broker outlives both, and must not keep what is no longer wanted."""
    device = 'kind = "recorder"\nevery_s = 0.2\nforeign = "zigbee/{0}/temperature"\n'
    recorder.device("recorder", device.format("attic"))
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    recorder.device("recorder", device.format("cellar"))
    running.send(signal.SIGHUP)
    running.wait_log("subscribed", 2)
    eventually(lambda: "attic" not in kept(recorder, "recorder"), "the broker has let go")
    for room in ("attic", "cellar"):
        sensor.publish(f"zigbee/{room}/temperature", "21")
    eventually(lambda: "zigbee/cellar" in values(recorder), "the other one is stored")
    assert values(recorder) == {"zigbee/cellar": [{"temperature": 21.0}]}
    assert running.stop() == 0


# Its session at the broker.

GUESSED = "cm/recorder/history"  # the client id until 0.2


def test_whoever_guesses_its_client_id_gets_nothing_and_loses_nothing(
    recorder: House, keeping: Broker, sensor: Eyes
) -> None:
    running = recorder.run("recorder")
    running.wait_log("the session of an earlier version is empty")
    running.send(signal.SIGKILL)
    running.wait()
    for seq in range(100):
        sensor.publish(TOPIC, reading(seq, level=seq))
        if seq % 40 == 0:
            with closing(Eyes(keeping.port, name=GUESSED, filters="cm/cellar/action/+")) as thief:
                sensor.publish("cm/cellar/action/end", "now")
                thief.wait_value("cm/cellar/action/end", "now")
                assert {one.topic for one in thief.seen} == {"cm/cellar/action/end"}
    recorder.run("recorder")
    assert [seq for seq, *_ in wait_stored(recorder, 100)] == [*range(100)]
    secret = recorder.folder / "state" / "outbox" / "cm.recorder" / "session.json"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert GUESSED + "-" not in running.log


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_waits_in_the_session_of_an_earlier_version_is_stored_once_and_the_session_ended(
    recorder: House, keeping: Broker, sensor: Eyes, protocol: str
) -> None:
    recorder.write(keeping.port, broker=f'protocol = "{protocol}"')
    Eyes(keeping.port, name=GUESSED, filters="+/+/data/reading").close()
    sensor.flood(TOPIC, [reading(seq, level=seq) for seq in range(1500)])()
    running = recorder.run("recorder")
    running.wait_log("the session of an earlier version is empty")
    assert [seq for seq, *_ in wait_stored(recorder, 1500)] == [*range(1500)]
    sensor.publish(TOPIC, reading(1500, level=1))
    wait_stored(recorder, 1501)
    with closing(Eyes(keeping.port, name=GUESSED, filters="cm/cellar/action/+")) as after:
        sensor.publish("cm/cellar/action/end", "now")
        after.wait_value("cm/cellar/action/end", "now")
        assert len(after.seen) == 1
    assert running.stop() == 0
    assert not recorder.run("recorder").wait_log("subscribed")[1:]


def test_a_lost_name_of_the_session_is_a_new_session_and_said(recorder: House, sensor: Eyes) -> None:
    running = recorder.run("recorder")
    running.wait_log("the session of an earlier version is empty")
    assert running.stop() == 0
    (recorder.folder / "state" / "outbox" / "cm.recorder" / "session.json").write_text("{")
    running = recorder.run("recorder")
    running.wait_log("the name of the session at the broker is lost")
    running.wait_log("subscribed")
    sensor.publish(TOPIC, reading(1, level=1))
    assert [seq for seq, *_ in wait_stored(recorder, 1)] == [1]


# Several recorders.


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_several_share_the_load_and_each_knows_the_kinds(
    recorder: House, keeping: Broker, sensor: Eyes, protocol: str
) -> None:
    recorder.write(keeping.port, broker=f'protocol = "{protocol}"')
    sensor.publish("cm/attic/status/about", json.dumps({"kind": "thermometer"}), retain=True)
    share = 'kind = "recorder"\nevery_s = 0.2\nshare = "history"\nkeep_days = 36500\n'
    names = ("recorder", "recorder-2")
    for name in names:
        recorder.device(name, share)
        recorder.run(name).wait_log("subscribed")
    for seq in range(100):
        sensor.publish(TOPIC, reading(seq, level=seq))
    assert [seq for seq, *_ in wait_stored(recorder, 100)] == list(range(100))
    told: Wanted = lambda seen: {one.topic: one.value for one in seen if one.topic.endswith("/data/recorded")}  # noqa: E731
    sensor.wait(lambda seen: sum(told(seen).values()) >= 100, "each message was told to one of them")
    assert max(told(sensor.seen).values()) < 100
    for name in names:
        kinds = recorder.folder / "state" / "outbox" / f"cm.{name}" / "kinds.json"
        assert json.loads(kinds.read_text())["cm/attic"] == "thermometer"


def test_one_of_several_that_leaves_for_good_first_gets_what_waited_for_it(recorder: House, sensor: Eyes) -> None:
    share = 'kind = "recorder"\nevery_s = 0.2\nshare = "history"\nkeep_days = 36500\n'
    running = {}
    for name in ("recorder", "recorder-2"):
        recorder.device(name, share)
        running[name] = recorder.run(name)
        running[name].wait_log("subscribed")
    running["recorder-2"].stop(signal.SIGKILL)
    for seq in range(40):
        sensor.publish(TOPIC, reading(seq, level=seq))
    eventually(lambda: stored(recorder), "the other one has stored its part")
    recorder.device("recorder-2", share + 'groups = ["nobody"]\n')
    leaving = recorder.run("recorder-2")
    assert [seq for seq, *_ in wait_stored(recorder, 40)] == list(range(40))
    eventually(lambda: "/+/+/" not in kept(recorder, "recorder-2"), "the broker has let go")
    assert leaving.stop() == 0
    for seq in range(40, 80):
        sensor.publish(TOPIC, reading(seq, level=seq))
    assert [seq for seq, *_ in wait_stored(recorder, 80)] == list(range(80))


def kept(house: House, name: str) -> str:
    """What its session is subscribed to."""
    return (house.folder / "state" / "outbox" / f"cm.{name}" / "subscriptions.json").read_text()


# The proof that it records.

DEAF = "topic write +/+/data/#\ntopic readwrite +/+/status/#\ntopic read +/+/action/#\n"
HEARS = DEAF + "topic read +/+/data/reading\n"


@pytest.mark.parametrize("groups", ["", 'groups = ["home"]', 'share = "history"'])
def test_one_that_may_not_read_is_a_fault_until_it_may(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path, groups: str
) -> None:
    """A broker with access rules grants the subscription and delivers nothing."""
    acl = tmp_path / "acl"
    acl.write_text(DEAF)
    broker = new_broker("rules", f"acl_file {acl}")
    house.write(broker.port, top="heartbeat_s = 0.5")
    house.device("recorder", f'kind = "recorder"\nevery_s = 0.5\n{groups}\n')
    with closing(Eyes(broker.port, filters="cm/recorder/status/+")) as eyes:
        running = house.run("recorder", program=QUICK)
        running.wait_log("subscribed")
        eyes.wait_value("cm/recorder/status/state", "fault")
        why = "it may not read cm/recorder/data/reading"
        heartbeats: Wanted = lambda seen: [one.value for one in seen if one.topic == "cm/recorder/status/heartbeat"]  # noqa: E731
        eyes.wait(lambda seen: [beat for beat in heartbeats(seen) if why in (beat["why"] or "")], "the reason")
        before = len(eyes.seen)
        acl.write_text(HEARS)
        broker.send(signal.SIGHUP)
        eyes.wait_value("cm/recorder/status/state", "online", since=before)
    assert running.stop() == 0


# What it says of itself, and what sensors make of it.

WORD = "cm/recorder/status/recording"


def says(*, recording: bool) -> Wanted:
    """Whether this is the last thing that it has said."""
    return lambda seen: [one.value["recording"] for one in seen if one.topic == WORD][-1:] == [recording]


def later(count: int) -> Wanted:
    """Whether more readings of the sensor have come."""
    return lambda seen: sum(one.topic == TOPIC for one in seen) > count


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_sensors_keep_their_readings_while_it_does_not_say_that_it_records(
    recorder: House, keeping: Broker, sensor: Eyes, protocol: str
) -> None:
    """Whoever else subscribes, here the eyes, and whether it was stopped or killed."""
    recorder.write(keeping.port, broker=f'protocol = "{protocol}"', log="[history]\nrecorder = true")
    recorder.device("pi", 'kind = "pi"\nsensor = "attic"\nevery_s = 0.1\n')
    recorder.run("pi")
    sensor.wait_value("cm/attic/status/state", "online")
    for end in (signal.SIGTERM, signal.SIGKILL):
        running = recorder.run("recorder")
        sensor.wait(says(recording=True), "it records")
        sensor.wait(later(len(sensor.on(TOPIC)) + 5), "readings come")
        running.stop(end)
        sensor.wait(says(recording=False), "it does not record any more")
    first = next(one for one in sensor.seen if one.topic == WORD and one.value["recording"])
    assert not [one for one in sensor.on(TOPIC) if one.at < first.at]
    seqs = [seq for seq, *_ in stored(recorder)]
    assert seqs == [*range(1, len(seqs) + 1)]


def test_sensors_are_not_told_before_its_own_reading_is_stored(recorder: House, sensor: Eyes) -> None:
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    sensor.wait(says(recording=True), "it records")
    with closing(sqlite3.connect(recorder.folder / "state" / "history.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sensor.publish(TOPIC, reading(1, level=1))
        sensor.wait(says(recording=False), "it does not record any more")
        other.execute("ROLLBACK")
    sensor.wait(says(recording=True), "it records again")


# The disk.
ROOM = 300_000  # bytes: some readings


def test_a_full_disk_loses_nothing(recorder: House, sensor: Eyes) -> None:
    running = recorder.run("recorder", program=[FULL_DISK, str(recorder.folder / "state"), str(ROOM), "--no-mount"])
    running.wait_log("subscribed")
    for seq in range(200):
        sensor.publish(TOPIC, reading(seq, word="x" * 2000))
    sensor.wait_value("cm/recorder/status/state", "fault")
    assert running.process.poll() is None
    assert running.logged("the store is unavailable")
    assert running.stop() == 0
    before = stored(recorder)
    assert [seq for seq, *_ in before] == list(range(len(before)))
    assert len(before) < 200
    recorder.run("recorder")
    assert [seq for seq, *_ in wait_stored(recorder, 200)] == list(range(200))


def test_a_damaged_file_costs_what_was_in_it_and_no_more(recorder: House, sensor: Eyes) -> None:
    file = recorder.folder / "state" / "history.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"no database" * 1000)
    running = recorder.run("recorder")
    running.wait_log("moved aside")
    running.wait_log("subscribed")
    sensor.publish(TOPIC, reading(1, level=1))
    assert [seq for seq, *_ in wait_stored(recorder, 1)] == [1]


def test_readings_older_than_keep_days_remain_as_averages(recorder: House, sensor: Eyes) -> None:
    recorder.device("recorder", 'kind = "recorder"\nkeep_days = 2\n')
    running = recorder.run("recorder")
    running.wait_log("subscribed")
    old_us, new_us = (time.time_ns() // 1000 - days * 86_400_000_000 for days in (3, 1))
    for seq, time_us in enumerate((old_us, new_us)):
        sensor.publish(TOPIC, json.dumps({"time": timestamps.utc(time_us), "run": "r0", "seq": seq, "level": seq}))
    wait_stored(recorder, 1)
    assert running.stop() == 0
    recorder.run("recorder")  # which looks at once for what is too old, when it stores its own first reading
    eventually(lambda: [time_us for _, time_us, _ in stored(recorder)] == [new_us], "the old one is gone")
    with closing(SqliteReader(recorder.folder / "state" / "history.sqlite")) as past:
        eventually(lambda: [*past.averages("cm/attic", 0, DAY_S)][1:], "both are averages")
        assert [average.summary.mean for average in past.averages("cm/attic", 0, DAY_S)] == [0, 1]


# The subscription.


def test_it_hears_over_tls_whatever_comes_at_once(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    write_certificates(tmp_path, "localhost")
    files = (f"certfile {tmp_path}/ca.pem", f"keyfile {tmp_path}/key.pem")
    broker = new_broker("both", f"listener {(port := free_port())} 127.0.0.1", *files)
    house.write(port, host='"localhost"', broker=f'ca_file = "{tmp_path}/ca.pem"')
    house.device("recorder", 'kind = "recorder"\nkeep_days = 36500\n')
    house.run("recorder").wait_log("subscribed")
    with closing(Eyes(broker.port)) as sensor:
        sensor.flood(TOPIC, [reading(seq, word="x" * (150_000 if seq == 50 else 600)) for seq in range(100)])()
        assert [seq for seq, *_ in wait_stored(house, 100)] == list(range(100))
