"""A sensor's actions: each command is executed or refused, and answered on `status/action`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bootstrap.config.toml_file import suggestion
from bootstrap.contract.commands import ANSWERED, RETAINED, ActionCommand, Done, Later, answer
from bootstrap.contract.payload import Json
from bootstrap.device import Takes
from bootstrap.errors import Refused
from bootstrap.logs import log

if TYPE_CHECKING:
    from bootstrap.runtime.carried_out import CarriedOut, Noted

Act: TypeAlias = Callable[[Json], Later | None]


class Actions:
    """Executes a sensor's actions and answers every command, whatever it contains."""

    def __init__(
        self,
        acts: Mapping[str, Act],
        answer: Callable[[dict[str, object]], None],
        takes: Mapping[str, Takes] = {},
        carried_out: "CarriedOut | None" = None,
    ) -> None:
        """`takes` are what these actions take; one of which something is carried out once needs `carried_out`."""
        self._acts, self._takes, self._carried_out = acts, takes, carried_out
        self._answer = answer
        self.closed = False  # True while the process stops

    @property
    def names(self) -> list[str]:
        """The names of the actions, sorted."""
        return sorted(self._acts)

    def handle(self, name: str, payload: bytes, *, retained: bool) -> None:
        """Execute a command, and answer it when that has ended. An exception that is a bug propagates to the loop."""
        try:
            command = ActionCommand.parse(payload)
        except ValueError as refusal:
            self._report(name, ActionCommand(None), _why(refusal))
        else:
            _carry_out(partial(self._act, name, command, retained=retained), partial(self._report, name, command))

    def _act(self, name: str, command: ActionCommand, *, retained: bool) -> Later | None:
        if retained:
            raise Refused(RETAINED)
        if self.closed:
            raise Refused("stopping")
        takes = self._takes.get(name, Takes())
        command.check_expiry(required=takes.expires)
        if name not in self._acts:
            raise Refused(f"no action {name[:ANSWERED]!r}; {suggestion(name[:ANSWERED], self.names)}")
        takes.check(command.value)
        if not takes.once:
            return self._acts[name](command.value)
        return self._at_most_once(name, command, takes)

    def _at_most_once(self, name: str, command: ActionCommand, takes: Takes) -> Later | None:
        """Carry out a command of an action that has some to be carried out once. A free one overtakes those."""
        if self._carried_out is None:
            raise Refused("it is not known here what was carried out before")
        if takes.only_once(command.value):
            return partial(self._when_noted, name, command, self._carried_out.note(name, command))
        self._carried_out.overtake()
        return self._acts[name](command.value)

    def _when_noted(self, name: str, command: ActionCommand, noted: "Noted", done: Done) -> None:
        """Carry out a command once it is on the disk."""

        def act() -> Later | None:
            if self.closed:
                raise Refused("stopping")
            return self._acts[name](command.value)

        noted(partial(_carry_out, act, done), done)

    def _report(self, name: str, command: ActionCommand, reason: str | None) -> None:
        result = "done" if reason is None else "refused"
        report = log.info if reason is None else log.warning
        report(f"command {result}", action=name[:ANSWERED], reason=reason)
        self._answer(answer(name[:ANSWERED], command.id, result, reason))


def _carry_out(act: Callable[[], Later | None], done: Done) -> None:
    """Begin an action, and see to it that `done` is called when that has ended, or at once with why it was refused."""
    try:
        later = act()
    except (ValueError, OSError) as refusal:
        done(_why(refusal))
    else:
        (later or _at_once)(done)


def _why(refusal: ValueError | OSError) -> str:
    return str(refusal) or type(refusal).__name__


def _at_once(done: Done) -> None:
    done(None)
