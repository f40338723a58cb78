"""A command that must not be carried out twice, nor late, is not, whatever it looks like and the disk does."""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bootstrap.contract.payload import Json
from bootstrap.contract.timestamps import MachineClock
from bootstrap.device import Takes
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.logs import log
from bootstrap.runtime.actions import Actions
from bootstrap.runtime.carried_out import FILE, MOST, MOST_AHEAD_S, CarriedOut

PATIENCE_S = 30
DOOR = Takes(("lock", "unlock", "unlocked"), keys=("state", "for_s"), high=5, low=0, once=("unlock", "unlocked"))


class Clock:
    """The time of day, which can be moved; the true one of this machine otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead_s = 0.0
        true_ns = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: true_ns() + round(self.ahead_s * 1e9))
        monkeypatch.setattr(time, "time", lambda: time.time_ns() / 1e9)

    def moment(self, seconds: float, zone: timezone = UTC) -> str:
        """Return the time in so many seconds, as on the wire."""
        return (datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=seconds)).astimezone(zone).isoformat()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Door:
    """A process with a door that commands unlock, until it ends or is killed."""

    def __init__(self, folder: Path, known: float = 0.0) -> None:
        self.sockets, self.loop, self.folder = Sockets(), Loop(), folder
        self.inbox = Inbox(self.sockets)
        self.loop.add_reader(self.inbox.socket, self.inbox.receive)
        self.worker = Worker(self.inbox)
        self.done: list[Json] = []
        self.on_disk: list[int] = []  # how many commands were noted on the disk at each one that was carried out
        self.answers: list[dict[str, Any]] = []
        self.pumped = 0
        self.carried_out = CarriedOut(folder, MachineClock(known), self.worker, self._pump)
        self.actions = Actions(
            {"set": self._act, "read": lambda _: None}, self._answer, {"set": DOOR}, self.carried_out
        )

    def _pump(self) -> None:
        self.pumped += 1

    def _answer(self, answer: Mapping[str, object]) -> None:
        self.answers.append(dict(answer))

    def _act(self, value: Json) -> None:
        if DOOR.only_once(value):
            self.on_disk.append(len(json.loads((self.folder / FILE).read_text())["until"]))
        self.done.append(value)

    def begin(self, payload: str | bytes | dict[str, Any], *, retained: bool = False, action: str = "set") -> None:
        text = json.dumps(payload) if isinstance(payload, dict) else payload
        self.actions.handle(action, text.encode() if isinstance(text, str) else text, retained=retained)

    def say(self, payload: str | bytes | dict[str, Any], *, retained: bool = False) -> str:
        """Return why a command was refused; empty if it was carried out."""
        number = len(self.answers)
        self.begin(payload, retained=retained)
        assert self.loop.run(lambda: len(self.answers) > number, PATIENCE_S)
        (answer,) = self.answers[number:]
        return answer["reason"] or ""

    def end(self) -> None:
        self.worker.close()
        self.inbox.close()
        self.sockets.end()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Callable[..., Door]]:
    """Return what starts a process with the door, which remembers what the ones before it have noted."""
    began: list[Door] = []

    def start(known: float = 0.0) -> Door:
        for one in began[-1:]:
            one.end()
        began.append(Door(tmp_path / "cm.door", known))
        return began[-1]

    yield start
    began[-1].end()


def unlock(clock: Clock, seconds: float = 5.0, **more: Any) -> dict[str, Any]:
    return {"state": "unlock", "before": clock.moment(seconds), **more}


@pytest.mark.parametrize(
    "free", ["lock", '{"value":"lock"}', '{"state":"lock"}', '{"state":"lock","id":"1"}', '{"state":"lock","for_s":3}']
)
def test_what_only_secures_is_free(door: Callable[..., Door], free: str) -> None:
    its = door(known=time.time() + 1000)  # even while the clock is unsure
    assert [its.say(free), its.say(free)] == ["", ""]
    assert len(its.done) == 2


@pytest.mark.parametrize("word", ["unlock", "unlocked", "3"])
def test_each_form_of_the_others_must_say_until_when(door: Callable[..., Door], word: str) -> None:
    its = door()
    value = json.dumps(json.loads(word) if word.isdigit() else word)
    forms = (word, value, f'{{"value":{value}}}', f'{{"value":{value},"id":"7"}}', f'{{"state":{value}}}')
    more = (
        f'{{"state":{value},"for_s":3,"id":1}}',
        f'{{"state":{value},"before":null}}',
        f'{{"value":{{"state":{value}}}}}',
    )
    for form in (*forms, *more):
        assert "say by 'before'" in its.say(form)
    assert not its.done


def test_it_is_neither_old_nor_far_ahead_nor_retained(door: Callable[..., Door], clock: Clock) -> None:
    its = door()
    assert "expired" in its.say(unlock(clock, -0.1))
    assert f"at most {MOST_AHEAD_S} s ahead" in its.say(unlock(clock, MOST_AHEAD_S + 0.5))
    assert "retained" in its.say(json.dumps(unlock(clock)), retained=True)
    assert "is not text" in its.say({"state": "unlock", "before": time.time() + 5})
    assert not its.done
    assert its.say(unlock(clock, MOST_AHEAD_S - 0.5)) == ""
    assert its.done == [{"state": "unlock"}]


def test_nothing_is_unlocked_while_the_clock_is_unsure(
    door: Callable[..., Door], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.contract.timestamps.synchronised", lambda: False)
    its = door(known=time.time() + 1000)
    assert "the clock of this machine is not set" in its.say(unlock(clock))
    clock.ahead_s = 2000  # it has its time
    assert its.say(unlock(clock)) == ""
    assert len(its.done) == 1


def test_the_same_command_is_known_again_in_every_form(door: Callable[..., Door], clock: Clock) -> None:
    its, before = door(), clock.moment(30)
    assert its.say({"value": "unlock", "id": "7", "before": before}) == ""
    again: list[str | dict[str, Any]] = [
        {"value": "unlock", "id": "7", "before": before},
        {"state": "unlocked", "id": "7", "before": clock.moment(40)},
        '{"id":"\\u0037","before":"%s","state":"unlock","for_s":3}' % before,  # noqa: UP031 - braces
        {"value": 3, "id": "7", "before": before},
    ]
    for one in again:
        assert "has come before" in its.say(one)
    for one, identity in (({"value": "unlock", "before": before}, 1), ({"value": "unlock", "before": before}, 1.0)):
        why = its.say({**one, "id": identity})
        assert bool(why) == isinstance(identity, float), why
    assert len(its.done) == 2


def test_without_an_id_all_that_it_says_is_compared(door: Callable[..., Door], clock: Clock) -> None:
    its, moment = door(), clock.moment(30)
    assert its.say('{"value":"unlock","before":"%s"}' % moment) == ""  # noqa: UP031 - braces
    zone = datetime.fromisoformat(moment).astimezone(timezone(timedelta(hours=5))).isoformat()
    for same in (
        f'{{ "before":"{moment}", "value" : "unlock" }}',
        f'{{"value":"unlock","id":null,"before":"{zone}"}}',
    ):
        assert "has come before" in its.say(same)
    assert its.say({"value": "unlock", "before": clock.moment(31)}) == ""  # another one
    assert len(its.done) == 2


def test_it_is_on_the_disk_before_it_is_carried_out_and_outlives_a_kill(
    door: Callable[..., Door], clock: Clock
) -> None:
    its, first, second = door(), unlock(clock, 30, id="a"), unlock(clock, 30, id="b")
    its.begin(first)
    its.begin(second)
    assert its.done == []  # nothing is done in the same turn
    assert its.loop.run(lambda: len(its.answers) == 2, PATIENCE_S)
    assert (its.on_disk, its.pumped) == ([1, 2], 2)
    after = door()
    for one in (first, second):
        assert "has come before" in after.say(one)
    assert after.done == []
    assert after.say(unlock(clock, 30, id="c")) == ""


def test_what_is_forgotten_does_not_come_again_when_the_clock_is_set_back(
    door: Callable[..., Door], clock: Clock
) -> None:
    its, old = door(), unlock(clock, 30, id="a")
    assert its.say(old) == ""
    clock.ahead_s = 500
    assert "expired" in its.say(old)
    assert its.say(unlock(clock, id="a")) == ""  # an id may be used again after that
    assert len(json.loads((its.folder / FILE).read_text())["until"]) == 1
    clock.ahead_s = 2
    after = door()
    assert "perhaps it has come before" in after.say(old)
    assert after.done == []
    assert after.say(unlock(clock, 50, id="new")) == ""


def test_after_a_damaged_file_it_takes_a_minute(door: Callable[..., Door], clock: Clock) -> None:
    its, old = door(), unlock(clock, 50, id="a")
    assert its.say(old) == ""
    for damage in (b"", b"{", b"[]", b'{"forgotten":0,"until":{"a":"b"}}', b"\xff\0"):
        (its.folder / FILE).write_bytes(damage)
        with log.redirect(noted := io.StringIO()):
            after = door()
        assert "those of the next minute are refused" in noted.getvalue()
        for one in (old, unlock(clock, 50, id="b")):
            assert "perhaps it has come before" in after.say(one)
        assert after.done == []
        assert after.say("lock") == ""
    clock.ahead_s = 61
    assert after.say(unlock(clock, 5, id="b")) == ""
    assert door().say(unlock(clock, 5, id="b")) != ""


def test_after_a_damaged_file_and_without_a_clock_the_minute_begins_with_the_clock(
    door: Callable[..., Door], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.contract.timestamps.synchronised", lambda: False)
    its, old = door(), unlock(clock, 50, id="a")
    assert its.say(old) == ""
    (its.folder / FILE).write_bytes(b"{")
    clock.ahead_s = -100_000
    after = door(known=time.time() + 100_000)
    assert "clock" in after.say(unlock(clock))
    clock.ahead_s = 1
    assert "perhaps it has come before" in after.say(old)
    clock.ahead_s = 62
    assert after.say(unlock(clock)) == ""


def test_a_disk_that_takes_nothing_refuses(door: Callable[..., Door], clock: Clock) -> None:
    its = door()
    its.folder.write_text("a file is here")
    assert "it cannot be noted that this was done, so it is not" in its.say(unlock(clock, id="a"))
    assert its.done == []
    assert its.say("lock") == ""
    its.folder.unlink()
    assert "has come before" in its.say(unlock(clock, id="a"))  # the sender was told that it is not done
    assert its.say(unlock(clock, id="b")) == ""


def test_a_later_command_that_is_free_overtakes_one_that_is_being_noted(
    door: Callable[..., Door], clock: Clock
) -> None:
    its = door()
    its.begin(unlock(clock, id="a"))
    its.begin("lock")
    assert its.loop.run(lambda: len(its.answers) == 2, PATIENCE_S)
    assert its.done == ["lock"]
    assert "another command came before this one was noted" in its.answers[1]["reason"]
    its.begin(unlock(clock, id="b"))
    its.carried_out.overtake()  # as when another device takes the place of this one
    its.begin("now", action="read")  # which is another action
    assert its.loop.run(lambda: len(its.answers) == 4, PATIENCE_S)
    assert its.done == ["lock"]
    its.begin(unlock(clock, id="c"))
    its.actions.closed = True
    assert its.loop.run(lambda: len(its.answers) == 5, PATIENCE_S)
    assert (its.done, its.answers[-1]["reason"]) == (["lock"], "stopping")


def test_a_repetition_is_answered_after_what_it_repeats(door: Callable[..., Door], clock: Clock) -> None:
    its, command = door(), unlock(clock, id="a")
    its.begin(command)
    its.begin(command)
    assert its.loop.run(lambda: len(its.answers) == 2, PATIENCE_S)
    assert [one["result"] for one in its.answers] == ["done", "refused"]
    assert "has come before" in its.answers[1]["reason"]
    assert len(its.done) == 1


def test_it_expires_while_the_disk_takes_long(door: Callable[..., Door], clock: Clock) -> None:
    its = door()
    its.begin(unlock(clock, 5))
    clock.ahead_s = 6
    assert its.loop.run(lambda: bool(its.answers), PATIENCE_S)
    assert "expired" in its.answers[0]["reason"]
    assert its.done == []


def test_the_number_of_commands_is_bounded(door: Callable[..., Door], clock: Clock) -> None:
    its = door()
    for number in range(MOST):
        its.begin(unlock(clock, 50, id=number))
    assert f"{MOST} such commands have come" in its.say(unlock(clock))
    assert its.loop.run(lambda: len(its.answers) > MOST, PATIENCE_S)
    clock.ahead_s = 51
    assert its.say(unlock(clock)) == ""


words = st.sampled_from(
    ["unlock", "unlocked", "lock", "UNLOCK", " unlock ", "open", "", 3, 0, -1, 3.0, True, None, ["unlock"]]
)
values = words | st.dictionaries(st.sampled_from(["state", "value", "for_s", "by"]), words, max_size=3)
identities = st.sampled_from(["7", "8", 7, 7.0, 8, "", True, None, [7], {"a": 7}, "7 ", 10**17])
seconds = st.sampled_from([-(10.0**9), -60.0, -1.0, 5.0, 5.0, 30.0, 59.0, 61.0, 3600.0, 10.0**9])
odd_times = st.sampled_from(
    [None, 0, 10**12, True, "", "now", "2999-01-01", "2999-01-01T00:00:00Z", ["2999-01-01T00:00:00Z"]]
)
shapes = st.sampled_from(["bare", "json", "value", "merged"])
told = st.tuples(values, shapes, st.none() | identities, st.none() | seconds | odd_times, st.booleans())


@pytest.fixture
def fuzzed(door: Callable[..., Door], clock: Clock) -> tuple[Callable[..., Door], Clock]:
    return door, clock


def written(clock: Clock, value: Any, shape: str, identity: Any, before: Any) -> bytes:
    """Return a command in one of its forms."""
    if isinstance(before, float):
        before = clock.moment(before)
    head = {name: one for name, one in (("id", identity), ("before", before)) if one is not None}
    if shape == "bare":
        return value.encode() if isinstance(value, str) else json.dumps(value).encode()
    if shape == "json":
        return json.dumps(value).encode()
    return json.dumps(
        {**head, **(value if isinstance(value, dict) and shape == "merged" else {"value": value})}
    ).encode()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(told, min_size=5, max_size=25), st.booleans())
@example([("unlock", "value", "7", 5.0, False), ("unlock", "value", "7", 5.0, False)], True)
@example([("unlock", "value", None, 5.0, False), ("unlocked", "merged", None, 30.0, True)], False)
def test_whatever_is_sent_nothing_unlocks_but_what_is_new_and_in_time(
    fuzzed: tuple[Callable[..., Door], Clock], batch: list[tuple[Any, str, Any, Any, bool]], restarts: bool
) -> None:
    """The truth is told by what was sent alone: at most one for each id, each with its time, and not retained."""
    start, clock = fuzzed
    clock.ahead_s += 1000  # so that no example knows the ids of another
    its, unlocked = start(), set[str]()
    for number, (value, shape, identity, before, retained) in enumerate(batch):
        payload, count = written(clock, value, shape, identity, before), len(its.done)
        its.say(payload, retained=retained) if payload else None
        for done in its.done[count:]:
            word = done.get("state") if isinstance(done, dict) else done
            if word == "lock":
                continue
            sent = json.loads(payload)
            assert not retained
            assert 0 < datetime.fromisoformat(sent["before"]).timestamp() - time.time() + 1 < MOST_AHEAD_S + 1
            given_id = sent.get("id")
            named = isinstance(given_id, int | float | str) and not isinstance(given_id, bool)
            name = (
                f"{type(given_id) is str} {given_id if type(given_id) is str else float(given_id)}"
                if named
                else payload.decode()
            )
            assert name not in unlocked
            unlocked.add(name)
        if restarts and number % 3 == 0:
            its = start()
