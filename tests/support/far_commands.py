"""Commands that each of two sites gives to a sensor of the other."""

import json
import time
from typing import Any

from support.bridged_sites import Bridged
from support.plain_link import CABIN, HOME
from support.world import Eyes, Seen, eventually

LAMP, CELLAR = f"{CABIN}/lamp", f"{HOME}/cellar"
TRIAL_S = 0.5


class Commands:
    """What was asked at either site of a sensor at the other, and what came of it."""

    def __init__(self, up: Bridged[Any]) -> None:
        self._up = up
        self.asked: dict[str, float] = {}

    def ask(self, count: int, over_s: float) -> None:
        """Ask so often, at both sites in turn, within this time."""
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + number * over_s / count - time.monotonic()))
            asking, sensor, action = (
                (self._up.at_home, LAMP, "set") if number % 2 else (self._up.at_cabin, CELLAR, "read")
            )
            name = str(len(self.asked))
            self.asked[name] = time.monotonic()
            value = ("on", "off")[number % 4 // 2] if number % 2 else "now"
            asking.publish(f"{sensor}/action/{action}", json.dumps({"value": value, "id": name}))

    def executed(self) -> list[tuple[str, Seen]]:
        """Each execution, as the broker beside the sensor heard its answer."""
        found = [*_answers(self._up.at_cabin, LAMP), *_answers(self._up.at_home, CELLAR)]
        return [(one.value["id"], one) for one in found if one.value["result"] == "done"]

    def answers(self) -> dict[str, list[Any]]:
        """The results of each, as whoever asked heard them."""
        found: dict[str, list[Any]] = {}
        for one in self._heard():
            found.setdefault(one.value["id"], []).append(one.value["result"])
        return found

    def said_undelivered_for_sure(self) -> set[str]:
        """Those of which whoever asked was told that they were not executed."""
        undelivered = [one.value for one in self._heard() if one.value["result"] == "undelivered"]
        return {one["id"] for one in undelivered if "perhaps" not in one["reason"]}

    def _heard(self) -> list[Seen]:
        return [*_answers(self._up.at_home, LAMP), *_answers(self._up.at_cabin, CELLAR)]

    def work_again(self) -> bool:
        """Whether one at each site is done."""
        self.ask(2, TRIAL_S)
        names = [*self.asked][-2:]
        eventually(lambda: self.answers().keys() >= {*names}, "they are answered")
        return all(self.answers()[name] == ["done"] for name in names)


def _answers(eyes: Eyes, sensor: str) -> list[Seen]:
    return [one for one in eyes.on(f"{sensor}/status/action") if one.value["id"]]
