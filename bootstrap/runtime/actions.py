"""A sensor's actions: each command is obeyed or refused, and answered on `status/action`."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bootstrap.config.toml_file import suggestion
from bootstrap.contract import timestamps
from bootstrap.contract.commands import ActionCommand
from bootstrap.contract.payload import Json
from bootstrap.errors import Refused
from bootstrap.logs import log

Act: TypeAlias = Callable[[Json], None]

SHOWN = 100  # characters of somebody's words that we repeat


class Actions:
    """Knows every action of a sensor and answers every command, whatever it holds."""

    def __init__(self, acts: Mapping[str, Act], answer: Callable[[dict[str, object]], None]) -> None:
        self._acts = acts
        self._answer = answer
        self.closed = False  # while the process stops

    @property
    def names(self) -> list[str]:
        """The actions there are."""
        return sorted(self._acts)

    def handle(self, name: str, payload: bytes, *, retained: bool) -> None:
        """Act on a command and answer it. A bug in an action goes through to the loop."""
        command = ActionCommand(None)
        try:
            command = ActionCommand.parse(payload)
            self._act(name, command, retained=retained)
        except (ValueError, OSError) as refusal:
            self._report(name, command, "refused", str(refusal) or type(refusal).__name__)
        else:
            self._report(name, command, "done", None)

    def _act(self, name: str, command: ActionCommand, *, retained: bool) -> None:
        if retained:
            raise Refused("retained: a command is for now; clear it with an empty retained payload")
        if self.closed:
            raise Refused("stopping")
        command.check_expiry()
        if name not in self._acts:
            raise Refused(f"no action {name[:SHOWN]!r}; {suggestion(name[:SHOWN], self.names)}")
        self._acts[name](command.value)

    def _report(self, name: str, command: ActionCommand, result: str, reason: str | None) -> None:
        report = log.info if reason is None else log.warning
        report(f"command {result}", action=name[:SHOWN], reason=reason)
        self._answer(
            {
                "action": name[:SHOWN],
                "id": _short(command.id),
                "result": result,
                "reason": reason and reason[: 2 * SHOWN],
                "time": timestamps.now(),
            }
        )


def _short(identity: Json) -> Json:
    """Return an id as it came, unless it is not an id at all."""
    if isinstance(identity, str):
        return identity[:SHOWN]
    return None if isinstance(identity, list | dict) else identity
