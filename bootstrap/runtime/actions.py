"""A sensor's actions: each command is executed or refused, and answered on `status/action`."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeAlias

from bootstrap.config.toml_file import suggestion
from bootstrap.contract.commands import ANSWERED, RETAINED, ActionCommand, Done, Later, answer
from bootstrap.contract.payload import Json
from bootstrap.errors import Refused
from bootstrap.logs import log

Act: TypeAlias = Callable[[Json], Later | None]


class Actions:
    """Executes a sensor's actions and answers every command, whatever it contains."""

    def __init__(
        self, acts: Mapping[str, Act], answer: Callable[[dict[str, object]], None], expiring: Collection[str] = ()
    ) -> None:
        """`expiring` are the actions whose commands must say until when they are to be carried out."""
        self._acts, self._expiring = acts, expiring
        self._answer = answer
        self.closed = False  # True while the process stops

    @property
    def names(self) -> list[str]:
        """The names of the actions, sorted."""
        return sorted(self._acts)

    def handle(self, name: str, payload: bytes, *, retained: bool) -> None:
        """Execute a command, and answer it when that has ended. An exception that is a bug propagates to the loop."""
        command = ActionCommand(None)
        try:
            command = ActionCommand.parse(payload)
            later = self._act(name, command, retained=retained)
        except (ValueError, OSError) as refusal:
            self._report(name, command, str(refusal) or type(refusal).__name__)
        else:
            (later or _at_once)(partial(self._report, name, command))

    def _act(self, name: str, command: ActionCommand, *, retained: bool) -> Later | None:
        if retained:
            raise Refused(RETAINED)
        if self.closed:
            raise Refused("stopping")
        command.check_expiry(required=name in self._expiring)
        if name not in self._acts:
            raise Refused(f"no action {name[:ANSWERED]!r}; {suggestion(name[:ANSWERED], self.names)}")
        return self._acts[name](command.value)

    def _report(self, name: str, command: ActionCommand, reason: str | None) -> None:
        result = "done" if reason is None else "refused"
        report = log.info if reason is None else log.warning
        report(f"command {result}", action=name[:ANSWERED], reason=reason)
        self._answer(answer(name[:ANSWERED], command.id, result, reason))


def _at_once(done: Done) -> None:
    done(None)
