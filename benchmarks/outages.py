"""Four outages, and what penates and mqtt-io from PyPI leave behind, side by side. Needs mosquitto; three minutes.

    .venv/bin/python benchmarks/outages.py [--picture FILE]

The exit code is 1 if penates leaves anything behind.

The outages, the first three at the same time, each with a broker of its own:

- the broker is killed (SIGKILL) under a counter that is read every second, and is back on its port after 25 s;
- the same for 20 s, in which four doors move once, twice, three and four times; all of them end closed;
- the broker stays, and one read of a polled input raises one OSError, as an expander on a bad wire does; the input goes
  on changing, and ends in another state than it had at the error;
- two sites, each with a broker, five counters of 1 s and a recorder: nothing passes over the link between them for a
  minute, nobody is told, and the broker of one is killed for 20 s of it.

What is counted, of the values an input took on:

- lost: no subscriber ever got it. Ours has a durable MQTT 5 session, which outlives the broker; even QoS 0 is queued
  for it.
- duplicated: got more often than it was produced. (The broker is killed half a second after a delivery. In the very
  moment of one, QoS 1 delivers twice: by penates with the same run and seq.)
- out of order: the fewest deliveries that would have to be moved.
- without time: deliveries that do not say when the value was true, so that whoever stores them must guess.
- wrong final state: inputs whose retained value, as a newcomer is told it 8 s after all is well, is not the truth.
- silent: inputs that then change and say nothing, while their status says that all is well.

With two sites that is counted at both: lost, duplicated and out of order by what the two recorders have, each of all
readings; without time, if that is not the time of the read; the final state, as it is 8 s after the link is back; and
silent is a sensor of the other site whose status at the end of the cut is not `unreachable`. Mosquitto and the bridge
daemon have the settings that they have in a house (far_link.py). mqtt-io knows one broker only.

Both have the same broker settings, machine, rates and inputs (outage/inputs.py); of each, a door is a process of its
own, which spares mqtt-io a longer queue to shuffle. penates runs on its defaults. Its values are the records of
`data/reading`, its state is the measure's own topic (docs/TOPICS.md). mqtt-io has what its documentation offers against
outages: `retain` on every input, `reconnect_delay` 1 s (its least), reconnecting without end, a session that is not
clean, `keepalive` 10 s (at which it looks whether the broker is there), inputs polled at its default of 0.1 s and
published at once. A QoS for data it has not: it publishes with 0.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt

from counting import count
from outage.inputs import LAST, Level
from picture import IMPOSSIBLE, Found, Row, draw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from bootstrap.contract.payload import Json  # noqa: E402
from subjects import Input, MqttIo, Penates, Subject  # noqa: E402 - it needs what lies with the tests
from support.world import Broker, Eyes, Wanted, eventually, retained  # noqa: E402 - it lies with the tests

PAUSE_S = 0.5  # between a delivery and the broker's end
START_S = 60.0  # a dozen processes start at once
SETTLE_S = 8.0  # after which all should be well again
MOVES, MOVE_S = 5, 1.2  # of the polled input before the error, and as many after it; seconds between them
REMEMBER = ("persistence true", "autosave_on_changes true", "autosave_interval 1", "queue_qos0_messages true")


class DurableEyes(Eyes):
    """A session that outlives the broker: it subscribes once, so that no retained value comes a second time."""

    sessions = 0

    def _on_connect(self, client: mqtt.Client, data: object, flags: mqtt.ConnectFlags, *more: object) -> None:
        if not flags.session_present:
            self.sessions += 1
            super()._on_connect(client, data, flags, *more)


class World:
    """A broker, a subject and its subscriber."""

    def __init__(self, subject: type[Subject], folder: Path) -> None:
        place = folder / "broker"
        self.broker = Broker(place, *REMEMBER, f"persistence_location {place}/")
        self.broker.start()
        self.eyes = DurableEyes(self.broker.port, "eyes")
        self.subject = subject(folder / "subject", self.broker.port)

    def close(self) -> None:
        self.subject.stack.close()
        self.eyes.close()
        self.broker.stop()

    def until(self, one: Input, values: int = 1) -> None:
        """Until it is well, has said so many values, and the broker has had time to acknowledge them."""
        said: Wanted = lambda seen: any(each.topic == one.status and each.payload == one.well for each in seen)  # noqa: E731
        told: Wanted = lambda seen: sum(each.topic == one.history for each in seen) >= values  # noqa: E731
        self.eyes.wait(lambda seen: said(seen) and told(seen), f"{one.history}, {values} values", START_S)
        time.sleep(PAUSE_S)

    @contextmanager
    def away(self, seconds: float) -> Iterator[None]:
        """The broker is killed, and is back so many seconds later."""
        back = time.monotonic() + seconds
        self.broker.stop(signal.SIGKILL)
        yield
        time.sleep(max(0, back - time.monotonic()))
        self.broker.start()

    def truths(self) -> dict[str, Json]:
        """What a newcomer is told now."""
        return retained(self.broker.port)

    def silent(self, one: Input, since: int, trouble: int) -> bool:
        """Whether it said nothing since message `since`, and its status only that all is well since `trouble`."""
        spoke = any(each.topic == one.history for each in self.eyes.seen[since:])
        told = any(each.topic == one.status and each.payload != one.well for each in self.eyes.seen[trouble:])
        return not spoke and not told

    def row(self, one: Input, produced: Sequence[Json], truth: Json, *, silent: bool, upto: int | None = None) -> Row:
        """All that is counted, of the messages before number `upto`."""
        assert self.eyes.sessions == 1, "the broker forgot the subscriber's session: nothing counted would be true"
        deliveries = [each for each in self.eyes.seen[:upto] if each.topic == one.history]
        found = count([*map(plain, produced)], [plain(one.value(each)) for each in deliveries])
        untimed = sum(not (isinstance(each.value, dict) and "time" in each.value) for each in deliveries)
        wrong = truth != produced[-1]
        return Row(len(produced), found.lost, found.duplicated, found.disordered, untimed, int(wrong), int(silent))


def plain(value: Json) -> Hashable:
    """A value, which is a number, a word or a truth value."""
    assert not isinstance(value, list | dict)
    return value


def broker_away(world: World) -> Row:
    """A 1 s counter, and 25 s without the broker."""
    place = world.subject.place("counter")
    counter = world.subject.counter(place)
    world.until(counter, 5)
    trouble = len(world.eyes.seen)
    with world.away(25):
        pass
    time.sleep(SETTLE_S)
    settled = len(world.eyes.seen)
    read: Callable[[], list[int]] = lambda: [int(line) for line in (place / "produced").read_text().splitlines()]  # noqa: E731
    eventually(lambda: len(read()) == LAST, "the counter ends", 30)
    time.sleep(2)
    silent = world.silent(counter, settled, trouble)
    return world.row(counter, read(), world.truths().get(counter.state), silent=silent)


def doors_move(world: World) -> Row:
    """Four doors, and 20 s without the broker."""
    doors = {moves: world.subject.door(f"door{moves}", opened=moves % 2 == 1) for moves in (1, 2, 3, 4)}
    produced = {moves: [moves % 2 == 1] for moves in doors}
    for door in doors.values():
        world.until(door)
    trouble = len(world.eyes.seen)
    with world.away(20):
        for number in range(4):
            time.sleep(3)
            for moves in range(number + 1, 5):
                produced[moves].append(not produced[moves][-1])
                doors[moves].drive(produced[moves][-1])
    time.sleep(SETTLE_S)
    truths, settled = world.truths(), len(world.eyes.seen)
    for door in doors.values():
        door.drive(True)
    time.sleep(2)
    silent = {moves: world.silent(door, settled, trouble) for moves, door in doors.items()}
    return sum(
        (
            world.row(door, produced[moves], truths.get(door.state), silent=silent[moves], upto=settled)
            for moves, door in doors.items()
        ),
        Row(),
    )


def one_error(world: World) -> Row:
    """A polled input, one read of which fails."""
    place = world.subject.place("contact")
    level = Level(place)
    level.drive(False)
    contact = world.subject.contact(place)
    world.until(contact)
    produced = [False]
    trouble = 0
    for number in range(2 * MOVES):
        time.sleep(MOVE_S)
        if number == MOVES:
            trouble = len(world.eyes.seen)
            level.error.touch()
            eventually(lambda: not level.error.exists(), "it reads on into the error")
        produced.append(not produced[-1])
        level.drive(produced[-1])
    time.sleep(SETTLE_S)
    silent = world.silent(contact, trouble, trouble)
    return world.row(contact, produced, world.truths().get(contact.state), silent=silent)


OUTAGES = {
    "The broker is killed for 25 s, under a 1 s counter": broker_away,
    "The broker is killed for 20 s, and four doors move": doors_move,
    "One OSError from a polled input": one_error,
}
TWO_SITES = "Two sites: the link is cut for 60 s, and one broker killed for 20 s of it"


def measure() -> Found:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        futures = {}
        subjects = {subject.name(): subject for subject in (Penates, MqttIo)}
        for number, (outage, make) in enumerate(OUTAGES.items()):
            for subject in subjects.values():
                world = World(subject, Path(folder) / f"{subject.__name__}{number}")
                stack.callback(world.close)
                futures[outage, subject] = pool.submit(make, world)
        found: Found = {
            outage: {name: futures[outage, one].result() for name, one in subjects.items()} for outage in OUTAGES
        }
        found[TWO_SITES] = {name: one.link_cut(Path(folder) / "sites") for name, one in subjects.items()}
        return found


def show(found: Found) -> None:
    titles = list(Row.titles())
    for outage, rows in found.items():
        print(f"\n{outage}\n{'':18}" + "".join(f"  {title}" for title in titles))
        for subject, row in rows.items():
            cells = zip(titles, row.cells() if row else (), strict=row is not None)
            numbers = "".join(f"{number:{len(title) + 2}}" for title, number in cells)
            print(f"    {subject:14}" + (numbers or f"  {IMPOSSIBLE}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw it as an SVG, too")
    picture = parser.parse_args().picture
    found = measure()
    show(found)
    if picture:
        picture.write_text(draw(found))
    ours = [rows[Penates.name()] for rows in found.values()]
    return int(any(row is None or any(row.cells()[1:]) for row in ours))


if __name__ == "__main__":
    sys.exit(main())
