"""Commands that a device was told and has not answered yet: its own state says that they were carried out."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from bootstrap.adapter.device_topics import DeviceCommand
from bootstrap.adapter.newness import SaidValue
from bootstrap.adapter.profile_lines import SAID
from bootstrap.contract.commands import Done, Later, Outcome
from bootstrap.contract.payload import Json, as_text
from bootstrap.device import Device, Reading, Value
from bootstrap.errors import Refused

LEAST_STEP = 1e-6
Settled: TypeAlias = Callable[[str, SaidValue], Reading | None]


class AwaitedAnswers:
    """Tells the commands of one device, and waits for the state that answers each."""

    def __init__(self, device: Device, answer_s: float, guess_s: float, settled: Settled) -> None:
        """A command that is not answered in `answer_s` is refused.

        Its first answer is only a guess of the program between us until `guess_s` have passed, or it is repeated;
        `settled` is called with a guess that was true, and returns the reading that it is.
        """
        self._device, self._answer_s, self._guess_s, self._settled = device, answer_s, guess_s, settled
        self._waiting: dict[str, tuple[DeviceCommand, Value, Done]] = {}  # by the measure that is to show it
        self._last: dict[str, Value] = {}
        self._guessed: dict[str, SaidValue] = {}

    def begin(self, command: DeviceCommand, value: Json) -> Later:
        """Return what tells a command to the device, and ends when it is answered."""
        if not isinstance(value, str | int | float):
            raise Refused("send a word or a number")
        told, wanted = command.told(value), command.wanted(value)
        payload = command.payload.replace(SAID, told).encode()
        if wanted is None:
            return lambda done: self._device.tell(command.topic, payload, partial(_told_only, done))

        def tell(done: Done) -> None:
            guess = self._guessed.get(command.sets)
            self._end(command.sets, "another command came before the device had answered")
            self._waiting[command.sets] = command, wanted, done
            self._device.after(self._answer_s, lambda: self._late(command.sets), f"answer of {command.sets}")
            if guess is not None:  # a device that is so already need not say it once more
                self._guess(command, wanted, guess)
            self._device.tell(command.topic, payload, partial(self._told, command.sets, done))

        return tell

    def note(self, name: str, said: SaidValue, *, late: bool) -> bool:
        """Take notice of what the device says, which may be the answer to a command, unless it was held up.

        Returns whether it is only a guess, of which nothing may become yet.
        """
        if late or name not in self._waiting:
            return False
        command, wanted, _ = self._waiting[name]
        if not _answers(command, wanted, said.value):
            self._differ(name, said.value)
        elif self._guess_s and name not in self._guessed:
            self._guess(command, wanted, said)
            return True
        else:
            self._end(name, None)
        return False

    def _guess(self, command: DeviceCommand, wanted: Value, said: SaidValue) -> None:
        """Believe what was said in a while, if it answers the command and nothing contradicts it."""
        if _answers(command, wanted, said.value):
            self._guessed[command.sets] = said
            self._device.after(self._guess_s, lambda: self._settle(command.sets), f"answer of {command.sets}")

    def _differ(self, name: str, value: Value) -> None:
        if name in self._guessed:
            self._end(name, f"it says {as_text(value)}")
        else:
            self._last[name] = value

    def _settle(self, name: str) -> Reading | None:
        """Believe a guess that nothing has contradicted."""
        said = self._guessed[name]
        self._end(name, None)
        return self._settled(name, said)

    def close(self) -> None:
        """Refuse what is not answered yet."""
        for name in [*self._waiting]:
            self._end(name, "stopping")

    def _told(self, name: str, done: Done, outcome: Outcome, why: str) -> None:
        """Refuse a command that was not told, unless another one has taken its place."""
        if outcome == "undelivered" and name in self._waiting and self._waiting[name][2] is done:
            self._end(name, f"not delivered: {why}")

    def _late(self, name: str) -> None:
        last = self._last.get(name)
        said = "" if last is None else f"; it says {as_text(last)}"
        self._end(name, f"no answer in {self._answer_s:g} s{said}")

    def _end(self, name: str, why: str | None) -> None:
        if waiting := self._waiting.pop(name, None):
            self._last.pop(name, None)
            self._guessed.pop(name, None)
            self._device.cancel(f"answer of {name}")
            waiting[2](why)


def _told_only(done: Done, outcome: Outcome, why: str) -> None:
    """End a command that nothing answers once it is told."""
    done(f"not delivered: {why}" if outcome == "undelivered" else None)


def _answers(command: DeviceCommand, wanted: Value, value: Value) -> bool:
    """Return whether a value is what a command is to bring about."""
    return _is_same(value, wanted, command.answer.form.factor if command.answer else LEAST_STEP)


def _is_same(value: Value, wanted: Value, step: float) -> bool:
    """Return whether a value is the wanted one; a number, to the step that the device itself knows."""
    if isinstance(value, str | bool) or not isinstance(value, int | float) or not isinstance(wanted, int | float):
        return value == wanted
    return abs(value - wanted) <= max(abs(step), LEAST_STEP)
