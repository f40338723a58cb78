"""Devices that listen and tell. `kind = "support.followers.Follower"`."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bootstrap.contract.heard import Heard, Silence
from bootstrap.device import Device, Measure, Reading
from bootstrap.needs import Target, TopicFilter


@dataclass(kw_only=True)
class Follower(Device):
    """Wiring: none. It shows what it hears on one topic, and why it hears nothing."""

    follows: TopicFilter
    silent_s: float = 0
    every_s: float = 3600.0

    shown = Measure("1")
    stored = Measure(bool)
    told = Measure(str)
    value = Measure(str)
    problem = Measure(str)
    at = Measure(str)

    def setup(self) -> None:
        self.followed = self.listen(self.follows, self.on_heard, self.on_silence, self.silent_s or None)

    def on_heard(self, heard: Heard) -> Reading:
        return {"shown": heard.number, "stored": heard.retained, "told": "", "at": heard.time or ""}

    def on_silence(self, silence: Silence) -> Reading:
        return {"told": f"{silence.topic}: {silence.why}"}

    def read(self) -> Reading:
        return {"value": json.dumps(self.followed.value), "problem": self.followed.problem or ""}


@dataclass(kw_only=True)
class Board(Device):
    """Wiring: none. It writes down all that it hears on several filters, and when it hears nothing."""

    filters: list[TopicFilter]
    listens: list[str]
    diary: Path = Path("diary")
    every_s: float = 3600.0

    heard = Measure("1")

    def setup(self) -> None:
        self.count = 0
        for one in self.listens:
            self.listen(one, self.on_heard, self.on_silence)

    def on_heard(self, heard: Heard) -> None:
        self.count += 1
        self._note(heard.topic, heard.value, heard.retained)

    def on_silence(self, silence: Silence) -> None:
        self._note(silence.topic, silence.why)

    def _note(self, *words: Any) -> None:
        with self.diary.open("a") as diary:
            diary.write(json.dumps(words) + "\n")

    def read(self) -> Reading:
        return {"heard": self.count}


@dataclass(kw_only=True)
class Teller(Device):
    """Wiring: none. It tells one topic what `action/say` says, or counts aloud, and shows what became of it."""

    tells: Target
    asks: str = ""
    retained: bool = False
    counts: bool = False
    every_s: float = 3600.0

    outcome = Measure(str, event=True)

    def setup(self) -> None:
        self.count = 0

    def read(self) -> Reading:
        if self.counts:
            self.count += 1
            self.tell(self.tells, self.count, partial(self.on_counted, self.count))
        return {}

    def on_counted(self, number: int, outcome: str, why: str) -> Reading:
        return {"outcome": f"{number} {outcome}: {why}"}

    def act_say(self, value: Any) -> None:
        self.tell(self.asks or self.tells, value, self.on_told, retain=self.retained)

    def act_burst(self, value: Any) -> None:
        for number in range(value):
            self.tell(self.tells, number, self.on_told)

    def on_told(self, outcome: str, why: str) -> Reading:
        return {"outcome": f"{outcome}: {why}"}
