"""A sensor that reads what a test tells it, and all that is seen of it."""

import json
from typing import Any

from support.world import Broker, Eyes, House, Running, Wanted, retained

GOOD = {"level": 5, "depth": 1.5, "word": "open"}
STATE, HEALTH, READING = "cm/told/status/state", "cm/told/status/health", "cm/told/data/reading"


class Teller:
    """A device that reads what it is told, when it is told, and all that is seen of it."""

    def __init__(self, house: House, broker: Broker, eyes: Eyes, kind: str = "odd_devices.Told") -> None:
        self._house, self._broker, self.eyes, self._kind = house, broker, eyes, kind
        self.running: Running
        self.folder = house.folder

    def run(self, reading: Any, every_s: float = 3600, heartbeat_s: float = 0, limits: str = "", **env: str) -> None:
        self._house.write(self._broker.port, top=f"heartbeat_s = {heartbeat_s}")
        self._every_s = every_s
        self.sections(limits)
        self.tell(reading)
        self.running = self._house.run("told", program=None, **env)
        self.running.wait_log("connected (")
        self.eyes.wait(lambda seen: {"online", "fault"} & {one.value for one in seen if one.topic == STATE}, "a read")

    def sections(self, text: str) -> None:
        """What is in its file from the next reload on."""
        head = f'kind = "support.{self._kind}"\nfile = "told.json"\nevery_s = {self._every_s}\n'
        self._house.device("told", head + text)

    def tell(self, reading: Any) -> None:
        """What it reads from now on."""
        file = self._house.folder / "told.json"
        file.with_suffix(".new").write_text(json.dumps(reading))
        file.with_suffix(".new").replace(file)

    def read(self, reading: Any) -> str | None:
        """Have it read this, once; returns what it says is wrong, when all that it said besides is seen."""
        self.tell(reading)
        reason: str | None = self.eyes.ask("cm/told", "read", "now")["reason"]
        self.eyes.ask("cm/told", "log", "debug")  # an answer may overtake a value, but not one of the command before
        return reason

    def health(self) -> dict[str, dict[str, Any]]:
        health: dict[str, dict[str, Any]] = retained(self._broker.port)[HEALTH]
        return health

    def wait_health(self, name: str, health: str, since: int = 0) -> dict[str, Any]:
        """Until this measure is so."""
        met: Wanted = lambda seen: [one.value[name] for one in seen[since:] if one.topic == HEALTH]  # noqa: E731
        found: Wanted = lambda seen: [facts for facts in met(seen) if facts["health"] == health]  # noqa: E731
        facts: dict[str, Any] = self.eyes.wait(found, f"{name} {health}")[0]
        return facts
