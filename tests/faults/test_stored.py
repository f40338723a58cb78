"""The recorder dies, or its store, or its broker: what it was told is in the store, once."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.contract import timestamps
from support.faults.archive import EVERY_S, Archive, kill, shipped
from support.faults.wire import Wire
from support.paths import FULL_DISK
from support.stores import WRITTEN, FakeDatabase, Influx, Reply, started
from support.truth import made
from support.world import Eyes, eventually

ROOM = 200_000  # bytes: some hundred readings
OUTAGE_S = 600


@pytest.fixture
def influx(archive: Archive, tmp_path: Path) -> Iterator[Influx]:
    for database in started(Influx, tmp_path / "database"):
        archive.in_influx(database)
        yield database


@pytest.fixture
def fake(archive: Archive) -> Iterator[FakeDatabase]:
    fake = FakeDatabase()
    archive.in_fake(fake)
    yield fake
    fake.close()


@pytest.fixture
def eyes(archive: Archive) -> Iterator[Eyes]:
    eyes = Eyes(archive.broker.port)
    yield eyes
    eyes.close()


@pytest.mark.fault(
    "The recorder is killed (SIGKILL) under 100 readings a second, three times.",
    promise="Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
)
def test_recorder_killed(archive: Archive) -> None:
    counter, recorder = archive.run()
    for _ in range(3):
        archive.reads(50)
        kill(recorder)
        archive.reads(50)
        recorder = archive.record()
    archive.well()
    archive.finish(counter, recorder)


@pytest.mark.fault(
    "The recorder's database (InfluxDB) is killed under 100 readings a second, for 2 s.",
    promise="Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
    within_s=15,
)
def test_database_killed(archive: Archive, influx: Influx) -> None:
    counter, recorder = archive.run()
    influx.stop(signal.SIGKILL)
    archive.reads(200)
    influx.start()
    archive.well()
    archive.finish(counter, recorder)


@pytest.mark.fault(
    "The recorder's database answers 500, then 429.",
    promise="Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
    within_s=15,
)
def test_database_unwell(archive: Archive, fake: FakeDatabase) -> None:
    counter, recorder = archive.run()
    replies: list[Reply] = [(500, {}, b"disk full"), (429, {"Retry-After": "1"}, b"")]
    for reply in replies:
        fake.answer(reply)
        eventually(fake.is_asked_again, "it is asked")
    fake.reply = lambda _: WRITTEN
    archive.well()
    archive.finish(counter, recorder)


@pytest.mark.fault(
    "The recorder's database refuses a reading (400), among 100 others a second.",
    promise="It alone goes to `dead_letters.jsonl`, with the reason; of the others nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
)
def test_reading_refused(archive: Archive, fake: FakeDatabase, eyes: Eyes) -> None:
    counter, recorder = archive.run()
    told: Reply = (400, {}, b'{"error":"partial write: points beyond retention policy dropped=1"}')
    fake.reply = lambda request: told if any("sensor=attic" in line for line in request.lines) else WRITTEN
    bad = {"time": timestamps.now(), "run": "r1", "seq": 1, "level": 7.5}
    eyes.publish("cm/attic/data/reading", json.dumps(bad))
    archive.reads(50)
    eventually(archive.letters, "it is given up")
    archive.well()
    archive.finish(counter, recorder)
    (letter,) = archive.letters()
    assert json.loads(letter["payload"]) == bad
    assert "points beyond retention policy" in letter["reason"]


@pytest.mark.long
@pytest.mark.fault(
    "The recorder's database (InfluxDB) freezes for 6 s.",
    promise="Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
    within_s=15,
)
def test_database_frozen(archive: Archive, influx: Influx) -> None:
    counter, recorder = archive.run()
    influx.send(signal.SIGSTOP)
    archive.reads(600)
    influx.send(signal.SIGCONT)
    archive.well()
    archive.finish(counter, recorder)
    assert recorder.logged("the store is unavailable")


@pytest.mark.fault(
    "The recorder's broker is killed and started again, twice, under 100 readings a second.",
    promise="Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
    within_s=15,
)
def test_broker_killed(archive: Archive) -> None:
    counter, recorder = archive.run()
    for number in (2, 3):
        archive.broker.stop(signal.SIGKILL)
        archive.reads(50)
        archive.broker.start()
        recorder.wait_log("subscribed", count=number)
    archive.well()
    archive.finish(counter, recorder)


@pytest.mark.fault(
    "The recorder's disk is full, until it is started with more room.",
    promise="Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
)
def test_disk_full(archive: Archive) -> None:
    counter, recorder = archive.run(program=[FULL_DISK, str(archive.state), str(ROOM), "--no-mount"])
    recorder.wait_log("the store is unavailable", limit_s=60)
    archive.reads(50)
    assert recorder.stop() == 0, recorder.log
    recorder = archive.record()
    archive.well()
    archive.finish(counter, recorder)


@pytest.mark.fault(
    "The recorder's SQLite file is removed while it records.",
    promise="It is written again before anything more is acknowledged. Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
)
def test_history_removed(archive: Archive) -> None:
    counter, recorder = archive.run()
    for file in archive.state.glob("history.sqlite*"):
        file.unlink()
    recorder.wait_log("it was written again")
    archive.well()
    archive.finish(counter, recorder)


@pytest.mark.fault(
    "The recorder's SQLite file is away, like an unmounted disk, and the recorder is started again meanwhile.",
    promise="No new history is begun; state `fault` until it is back. Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
    within_s=15,
)
def test_history_away(archive: Archive) -> None:
    counter, recorder = archive.run()
    file = archive.state / "history.sqlite"
    away = file.rename(archive.state / "away")
    recorder.wait_log("it is gone")
    assert recorder.stop() == 0, recorder.log
    recorder = archive.record()
    archive.reads(50)
    assert not file.exists()
    away.rename(file)
    archive.well()
    archive.finish(counter, recorder)


@pytest.mark.fault(
    "The recorder's connection breaks before its acknowledgements are heard.",
    promise="Nothing lost, nothing twice; nor is what others said, whose time is that of its arrival.",
    disordered=None,
    wrong=None,
)
def test_acknowledgement_lost(archive: Archive, eyes: Eyes) -> None:
    wire = Wire(archive.broker.port)
    try:
        archive.configure(wire.port, 'foreign = "zigbee/attic/temperature"')
        counter, recorder = archive.run()
        wire.cut(down=False)
        for value in range(5):
            eyes.publish("zigbee/attic/temperature", str(value))
        eventually(lambda: len(archive.foreign()) == 5, "they are stored")
        wire.refuse()
        wire.accept()
        recorder.wait_log("subscribed", count=2)
        archive.well()
        archive.finish(counter, recorder)
        assert archive.foreign() == [0, 1, 2, 3, 4]
    finally:
        wire.close()


@pytest.mark.soak
@pytest.mark.timeout(OUTAGE_S + 400)
@pytest.mark.fault(
    "The recorder's database (InfluxDB) is away for ten minutes at 100 readings a second; `mosquitto/penates.conf`.",
    promise="Nothing lost, nothing twice.",
    disordered=None,
    wrong=None,
    within_s=120,
)
def test_database_away_for_long(new_archive: Callable[..., Archive], tmp_path: Path) -> None:
    archive = new_archive(*shipped(tmp_path))
    for influx in started(Influx, tmp_path / "database"):
        archive.in_influx(influx)
        counter, recorder = archive.run()
        influx.stop()
        until = time.monotonic() + OUTAGE_S
        while time.monotonic() < until:
            archive.reads(100)
        influx.start()
        archive.well()
        archive.finish(counter, recorder)
        assert made(archive.diary) >= 0.8 * OUTAGE_S / EVERY_S, "the machine is too slow for 100 readings a second"
