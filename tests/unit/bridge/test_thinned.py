"""What the bridge makes of heartbeats over a metered link, message by message."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bootstrap.bridge.far_heartbeats import FarHeartbeats, Thinned
from bootstrap.bridge.newest_told import NewestTold
from bootstrap.contract.heard import CLEARED
from bootstrap.contract.payload import decode, encode
from bootstrap.device import ThenTold
from daemons.bridge import Bridge
from penates.testing import Bench

LINK = "penates-bridge/cabin/state"
FAR, OWN = "cabin/home/status/heartbeats", "bench/device/status/heartbeats"
BEAT = "bench/cellar/status/heartbeat"
WHILE_S = 2.0  # longer than what belongs together is gathered


def now(ahead_s: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=ahead_s)).isoformat()


def thinned(sensors: dict[str, Any] | None = None, *, asks: bool = True, first: bool = True) -> dict[str, Any]:
    return {"time": now(), "every_s": 900, "asks": asks, "first": first, "sensors": sensors or {}}


def beat(run: str = "a", **more: Any) -> dict[str, Any]:
    return {"time": now(), "run": run, "heartbeat_s": 60, **more}


def bridge() -> Bridge:
    return Bridge(groups=["cabin"], own_groups=["bench"], link=LINK, every_s=60)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench(bridge()) as bench:
        bench.hear(LINK, 1)
        yield bench


def sent(bench: Bench) -> list[Any]:
    return [one for topic, one in bench.told if topic == OWN]


def nothing_more(bench: Bench, count: int) -> bool:
    """Whether nothing more is sent for a while."""
    with pytest.raises(AssertionError):
        bench.until(lambda: len(sent(bench)) > count, WHILE_S)
    return True


def test_nobody_listens_to_our_heartbeats_until_the_far_site_asks_for_it(bench: Bench) -> None:
    with pytest.raises(AssertionError, match="does not listen"):
        bench.hear(BEAT, beat())
    bench.hear(FAR, thinned(asks=False))
    with pytest.raises(AssertionError, match="does not listen"):
        bench.hear(BEAT, beat())
    bench.hear(FAR, thinned())
    bench.hear(BEAT, beat())
    bench.until(lambda: sent(bench))
    assert sent(bench)[0]["sensors"]["bench/cellar"]["heartbeat"]["run"] == "a"
    assert (sent(bench)[0]["every_s"], sent(bench)[0]["asks"], sent(bench)[0]["first"]) == (900, False, True)


def test_only_what_cannot_wait_is_sent_before_its_time(bench: Bench) -> None:
    bench.hear(FAR, thinned())
    health: dict[str, Any] = {"temperature": {"health": "ok", "since": now(), "why": None, "last_good": now()}}
    bench.hear(BEAT, beat())
    bench.hear("bench/cellar/status/health", health)
    bench.until(lambda: sent(bench))
    bench.hear(BEAT, beat(uptime_s=60))
    bench.hear("bench/cellar/status/health", {"temperature": {**health["temperature"], "last_good": now()}})
    assert nothing_more(bench, 1)
    bench.hear("bench/cellar/status/health", {"temperature": {**health["temperature"], "health": "stale"}})
    bench.until(lambda: len(sent(bench)) > 1)
    assert sent(bench)[1]["sensors"]["bench/cellar"]["health"]["temperature"]["health"] == "stale"
    bench.silence(BEAT, CLEARED)
    bench.until(lambda: len(sent(bench)) > 2)
    assert sent(bench)[2]["sensors"] == {"bench/cellar": {"heartbeat": None}}


def test_the_far_site_has_to_ask_again_when_the_link_is_back(bench: Bench) -> None:
    """It may be metered no more."""
    bench.hear(FAR, thinned())
    bench.hear(BEAT, beat())
    bench.until(lambda: sent(bench))
    bench.hear(LINK, 0)
    bench.hear(LINK, 1)
    bench.hear(BEAT, beat("b"))
    assert nothing_more(bench, 1)
    bench.hear(FAR, thinned(first=False))  # as after a start of ours, which it does not notice
    bench.until(lambda: len(sent(bench)) > 1)
    assert sent(bench)[1]["sensors"]["bench/cellar"]["heartbeat"]["run"] == "b"
    assert sent(bench)[1]["first"]


def test_many_sensors_are_sent_in_several_messages(bench: Bench) -> None:
    bench.hear(FAR, thinned())
    for number in range(100):
        bench.hear(f"bench/s{number}/status/heartbeat", beat(why="x" * 1000))
    bench.until(lambda: sum(len(one["sensors"]) for one in sent(bench)) == 100)
    assert all(len(encode(one)) < 32_000 for one in sent(bench))
    assert [one["first"] for one in sent(bench)] == [True, False, False, False]


def test_what_we_have_published_ourselves_shows_nothing_of_the_link_and_its_clock() -> None:
    with Bench(device := bridge()) as bench:
        bench.hear(LINK, 1)
        late = beat() | {"time": now(-600)}
        bench.hear(FAR, thinned({"cabin/lamp": {"heartbeat": late}}))
        (topic, payload) = bench.told[-1]
        assert topic == "cabin/lamp/status/heartbeat"
        assert isinstance(payload, bytes)
        device.site.link.on_doubt()
        bench.hear(topic, decode(payload))
        assert device.site.facts()["state"] == "down"
        assert abs(device.site.facts()["skew"]) < 1  # type: ignore[arg-type]  # a number
        assert float(device.site.facts()["lag"]) > 590
        bench.hear("cabin/lamp/status/state", "online")
        assert device.site.facts()["state"] == "up"


def test_a_clock_that_is_wrong_shows_in_what_comes_over_a_metered_link() -> None:
    with Bench(device := bridge()) as bench:
        bench.hear(LINK, 1)
        for _ in range(5):
            bench.hear(FAR, thinned())
        assert abs(device.site.facts()["skew"]) < 1  # type: ignore[arg-type]  # a number
        for _ in range(5):
            bench.hear(FAR, thinned() | {"time": now(-30)})
        assert float(device.site.facts()["skew"]) < -29


class Told:
    """What is told to our broker."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        self.far = FarHeartbeats(NewestTold(self.tell))

    def tell(self, topic: str, payload: bytes, then: ThenTold) -> None:
        self.said.append((topic, decode(payload) if payload else None))
        then("sent", "")

    def come(self, sensors: dict[str, Any]) -> None:
        found = Thinned.parse(thinned(sensors))
        assert found
        yielded = [*self.far.publish(found, ["cabin"])]
        assert yielded == self.said[len(self.said) - len(yielded) :]


def test_only_sensors_of_the_far_site_are_spoken_for_and_only_in_what_is_thinned() -> None:
    told = Told()
    facts = {"heartbeat": beat(), "health": {"on": {"health": "ok"}}, "state": "online"}
    told.come({"bench/cellar": facts, "cabin": facts, "cabin/a/b": facts, "cabin/x+": facts, "cabin/lamp": facts})
    assert [topic for topic, _ in told.said] == ["cabin/lamp/status/health", "cabin/lamp/status/heartbeat"]


def test_the_next_heartbeat_is_announced_for_when_it_comes_here() -> None:
    told = Told()
    told.come({"cabin/a": {"heartbeat": beat()}, "cabin/b": {"heartbeat": beat(heartbeat_s=3600)}})
    assert [value["heartbeat_s"] for _, value in told.said] == [900, 3600]


def test_the_same_heartbeat_is_published_once_until_it_was_cleared() -> None:
    told, one = Told(), {"heartbeat": beat()}
    told.come({"cabin/a": one})
    told.come({"cabin/a": one})
    assert len(told.said) == 1
    known = Told()
    known.far.note("cabin/a/status/heartbeat", {**one["heartbeat"], "heartbeat_s": 900})  # by an earlier run
    known.come({"cabin/a": one})
    assert known.said == []
    told.come({"cabin/a": {"heartbeat": None}})
    assert told.said[1] == ("cabin/a/status/heartbeat", None)
    told.come({"cabin/a": one})
    assert len(told.said) == 3


@pytest.mark.parametrize(
    "payload", [None, [], "x", {}, {"time": 1, "every_s": 1, "sensors": {}}, {"time": "", "every_s": 0, "sensors": {}}]
)
def test_what_is_no_such_message_is_ignored(payload: Any) -> None:
    assert Thinned.parse(payload) is None
