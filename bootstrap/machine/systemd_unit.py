"""The state of a systemd unit, as `systemctl show` prints it to everybody."""

import re
from collections.abc import Sequence

from bootstrap.answers.answer_value import lines_of
from bootstrap.answers.program_run import ProgramRun
from bootstrap.device import Value

STATES = ("active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance", "refreshing")
RUNNING = ("active", "reloading", "refreshing")
WANTED = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts")
NAME = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,249}", re.ASCII)
LIMIT_S = 10.0
UNUSABLE = {
    "not-found": "systemd has no unit {unit}: it is not-found",
    "masked": "{unit} is masked, so that nobody can start it: sudo systemctl unmask {unit}",
}


def a_unit(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` cannot be the name of a systemd unit."""
    if not NAME.fullmatch(text):
        raise ValueError('the name of a systemd unit, such as "mosquitto.service"; `systemctl list-units` lists them')


class SystemdUnit:
    """Asks for one unit."""

    def __init__(self, systemctl: str, unit: str) -> None:
        self.unit = unit if "." in unit else f"{unit}.service"
        self._run = ProgramRun([*_command(systemctl), self.unit], LIMIT_S)

    def state(self) -> dict[str, Value]:
        """Return `state` and `detail` as systemd calls them, `running`, the last `result`, and `restarts` of a service.

        Raises:
            OSError: systemd does not answer.
            ValueError: there is no such unit, or it is masked.
        """
        text, _ = self._run.timed_output()
        found = lines_of(text, "systemctl")
        known = {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}
        if (loaded := known.get("LoadState", "not told")) != "loaded":
            raise ValueError(
                UNUSABLE.get(loaded, "systemd cannot load {unit}: it is {loaded}").format_map(
                    {"unit": self.unit, "loaded": loaded}
                )
            )
        counted = {"restarts": int(known["NRestarts"])} if known.get("NRestarts", "").isdecimal() else {}
        result = {"result": known["Result"]} if known.get("Result") else {}
        state = known.get("ActiveState", "")
        return {"state": state, "running": state in RUNNING, "detail": known.get("SubState", ""), **result, **counted}

    def end(self) -> None:
        """Ask no more."""
        self._run.end()


def _command(systemctl: str) -> Sequence[str]:
    return [systemctl, "show", "--no-pager", f"--property={','.join(WANTED)}", "--"]
