"""One fault: a daemon that counts, a broker, a recorder that misses nothing, and the promise that is kept or not."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.faults.promises import Promise, Verdict
from support.faults.recorder import Comparison, Recorder, compare, wrong_state
from support.truth import entries, made, truth
from support.world import Broker, House, Running, eventually, retained

SENSOR = "cm/cellar"
STATE, HEARTBEAT, ABOUT, HEALTH = (f"{SENSOR}/status/{name}" for name in ("state", "heartbeat", "about", "health"))
OWN_TIME_S = 0.010  # a reading's time is that of its read
FRESH_S = 1.0  # a retained value this old is still right: the next read comes every 0.1 s
SETTLES_S = 80.0


class Scene:
    """A counter in the cellar, read ten times a second, and what the world does to it."""

    def __init__(self, broker: Broker, house: House, promise: Promise, **login: str) -> None:
        self.broker, self.house, self.promise, self._login = broker, house, promise, login
        self.diary, self.mood = house.folder / "diary", house.folder / "mood"
        self.recorder = Recorder(broker.port, **login)
        self.verdict: Verdict | None = None
        self.clock_is_true, self.behind_s = True, 0.0
        self._well_at, self._until_well = time.monotonic(), 0
        self.configure()

    def configure(self, port: int = 0, every_s: float = 0.1, history: str = "", **house: str) -> None:
        log = f'level = "debug"\n[history]\n{history}'
        self.house.write(port or self.broker.port, **{"top": "heartbeat_s = 0.5", "log": log, **house})
        files = f'diary = "{self.diary}"\nmood = "{self.mood}"'
        self.house.device("cellar", f'kind = "support.truth.Counter"\nevery_s = {every_s}\n{files}\n')

    def run(self, *, readings: int = 5, **more: Any) -> Running:
        """Start the daemon, and let it be well for so many readings."""
        before = made(self.diary)
        running = self.house.run(**more)
        if readings:
            self.recorder.wait(before + readings, SETTLES_S)
        return running

    def reads(self, more: int, limit_s: float = SETTLES_S) -> None:
        """Until so many more readings were made, whoever has heard of them."""
        wanted = made(self.diary) + more
        eventually(lambda: made(self.diary) >= wanted, f"{wanted} readings", limit_s)

    def kill(self, running: Running) -> None:
        """SIGKILL between two reads, for what dies in the middle of one can be nowhere yet."""
        running.wait_log("debug cm/cellar: read (", count=len(running.logged("debug cm/cellar: read (")) + 1)
        time.sleep(0.03)
        assert running.stop(signal.SIGKILL) == -signal.SIGKILL

    @property
    def store(self) -> Path:
        """Where the daemon puts what it cannot deliver now."""
        return self.house.folder / "state" / "outbox" / "cm.cellar"

    def spills(self) -> list[Path]:
        """The files there, oldest first."""
        return sorted(self.store.glob("*.spill"))

    def heartbeats(self) -> list[dict[str, Any]]:
        return [one.value for one in self.recorder.eyes.on(HEARTBEAT)]

    def feel(self, mood: str) -> None:
        """Have the device do this at each read; replaced as a whole, so that nobody reads half a word."""
        (self.mood.parent / "next mood").write_text(mood)
        (self.mood.parent / "next mood").replace(self.mood)

    def well(self) -> None:
        """From now on there is nothing wrong with the world."""
        self._well_at, self._until_well = time.monotonic(), made(self.diary)

    def finish(self, running: Running, stop: Callable[[], int] | None = None) -> Comparison:
        """Wait until all is well, stop in order, compare, and hold the promise against it."""
        recovered_s = self._recovers()
        self._catches_up()
        assert (stop or running.stop)() == 0, running.log
        self.recorder.all_is_heard()
        found = compare(self.diary, self.recorder.history, self.behind_s)
        wrong = wrong_state(self._told(), self._expected())
        assert found.invented == []
        if self.clock_is_true:
            assert found.late_s[-1] <= OWN_TIME_S, found.late_s[-5:]
        verdict = Verdict(len(found.lost), found.duplicated, found.disordered, len(wrong), round(recovered_s, 1))
        self.judge(verdict, f"lost {found.lost[:20]}, wrong {wrong}, log:\n{running.log[-3000:]}")
        return found

    def judge(self, verdict: Verdict, facts: str = "") -> None:
        """Hold the promise against what was measured, and note that it was kept."""
        self.promise.hold(verdict, facts)
        self.verdict = verdict

    def _recovers(self) -> float:
        """Seconds from the world's being well to every reading recorded and every retained value right."""
        after = self._until_well + 1
        self.recorder.wait(after, max(SETTLES_S, self.promise.within_s or 0))
        right_at = self.state_is_right()
        assert self._birth_s() <= FRESH_S
        late = [one.at for count, one in self.recorder.history.first.items() if count <= after]
        return max([right_at, *late]) - self._well_at

    def _catches_up(self) -> None:
        """Until nothing waits any more: a stop leaves on disk what it cannot deliver in its time."""
        limit_s = max(SETTLES_S, self.promise.within_s or 0)
        eventually(lambda: self.recorder.history.has(made(self.diary)), "the newest reading is recorded", limit_s)

    def state_is_right(self) -> float:
        """Until a newcomer is told how it is; returns when that was."""
        said: dict[str, Any] = {}

        def right() -> bool:
            before = made(self.diary)
            said.clear()
            said.update(self.newcomer())
            return said.get(STATE) == "online" and self._fresh(said, before)

        try:
            eventually(right, "the retained values are right", SETTLES_S)
        except AssertionError as late:
            late.add_note(f"{made(self.diary)} readings were made; told last: {said}")
            raise
        return time.monotonic()

    def _birth_s(self) -> float:
        """Seconds from the daemon's first word on a new connection to its first value that is not an old one."""
        seen = [one for one in self.recorder.eyes.seen if one.at >= self._well_at]
        values = (one for one in seen if one.topic == f"{SENSOR}/data/count" and isinstance(one.value, int))
        fresh_at = next(one.at for one in values if one.value >= self._until_well)
        born_at = [one.at for one in seen if one.topic == STATE and one.at <= fresh_at]
        return fresh_at - born_at[-1] if born_at else 0.0

    def newcomer(self) -> dict[str, Any]:
        """What somebody is told who asks now."""
        return retained(self.broker.port, **self._login)

    def _fresh(self, said: dict[str, Any], before: int) -> bool:
        """Whether these are the values of a moment before that many were made, or later ones."""
        known = list(entries(self.diary))
        recent = [truth(one.count) for one in known if one.at >= known[before - 1].at - FRESH_S]
        return all(said.get(f"{SENSOR}/data/{name}") in {one[name] for one in recent} for name in truth(0))

    def _told(self) -> dict[str, Any]:
        """What a newcomer is told, and of the longer words what we know to be true."""
        said = self.newcomer()
        for topic, about in ((HEARTBEAT, "run"), (ABOUT, "kind")):
            said[topic] = said[topic].get(about) if isinstance(said.get(topic), dict) else None
        health = said.get(HEALTH)
        said[HEALTH] = {name: one["health"] for name, one in health.items()} if isinstance(health, dict) else None
        return said

    def _expected(self) -> dict[str, object]:
        """What a newcomer must be told of a daemon that has stopped."""
        newest, first = made(self.diary), self.recorder.history.first
        return {
            STATE: "stopped",
            HEARTBEAT: first[newest].run if newest in first else "of a reading that is lost",
            ABOUT: "support.truth.Counter",
            HEALTH: dict.fromkeys(truth(0), "ok"),
            **{f"{SENSOR}/data/{name}": value for name, value in truth(newest).items()},
        }

    def close(self) -> None:
        self.recorder.eyes.close()
