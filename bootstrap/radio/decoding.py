"""Decoding: rtl_433 as a child, with the decoders that are of use now."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from bootstrap.device import Device, Reading
from bootstrap.logs import log
from bootstrap.radio.decoders import Decoder, chosen, in_program, is_private
from bootstrap.radio.receiver import Receiver
from bootstrap.radio.transmission import Transmission

if TYPE_CHECKING:
    from bootstrap.radio.pin_receiver import PinReceiver
    from bootstrap.streams import StreamHandle

SEARCH_S = 900.0  # for how long all decoders are on when somebody searches
SEARCH = "search"


class Decoding:
    """Runs rtl_433, and again with other decoders when others are wanted."""

    def __init__(
        self, device: Device, receiver: Receiver, always: Sequence[int], on_line: Callable[[str], Reading | None]
    ) -> None:
        """Give each line to `on_line`. The decoders in `always` are on in any case."""
        self._device, self._receiver, self._always, self._on_line = device, receiver, always, on_line
        self._stream: StreamHandle | None = None
        self._there: dict[int, Decoder] = {}
        self._wanted: set[int] | None = None
        self._numbers: list[int] = []
        self.pin: PinReceiver | None = None
        if (line := receiver.source.line) is not None:
            from bootstrap.radio import pin_receiver  # noqa: PLC0415 - few receivers are on a pin

            self.pin = pin_receiver.PinReceiver(device, line, self._give)
        program = receiver.program
        device.ask(partial(in_program, program), self._begin, lambda _error: self._begin({}))

    def _begin(self, there: dict[int, Decoder]) -> None:
        self._there = there
        if missing := [number for number in self._always if there and number not in there]:
            self._device.context.set_problem("decoders", f"rtl_433 has no decoder {', '.join(map(str, missing))}")
        self._numbers = self._chosen()
        self._stream = self._device.lines(self._receiver.child(self._numbers), self._on_line)

    def _give(self, pulses: bytes) -> None:
        """Have rtl_433 decode pulses. They are dropped while it does not run, which the gateway's state tells."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.write(pulses)

    @property
    def begun(self) -> bool:
        """Whether it has begun to listen, or cannot."""
        return self._stream is not None

    def is_private(self, heard: Transmission) -> bool:
        """Return whether what it says is nobody else's business, by its decoder, or else by the model's name."""
        decoder = self._there.get(heard.protocol)
        return decoder.private if decoder else is_private(heard.model)

    @property
    def problem(self) -> str | None:
        """Why nothing can be heard."""
        heard = self._stream.problem if self._stream else None
        return heard or (self.pin.problem if self.pin else None)

    @property
    def counted(self) -> Mapping[str, float]:
        """What was counted of the edges on a pin."""
        return self.pin.counted if self.pin else {}

    @property
    def searching(self) -> bool:
        """Whether all decoders are on."""
        return self._wanted is None or self.is_asked

    @property
    def is_asked(self) -> bool:
        """Whether somebody has asked for all decoders."""
        return self._device.waits_for(SEARCH)

    def search(self, for_s: float | None) -> None:
        """Have all decoders on for so many seconds, or no longer if that is None."""
        if for_s is None:
            self._device.cancel(SEARCH)
        else:
            self._device.after(for_s, self._searched, SEARCH)
        self._update()

    def _searched(self) -> Reading:
        self._update()
        return self._device.read()

    def want(self, decoders: Iterable[int] | None) -> None:
        """Have only these decoders on while nobody searches, or all if that is None."""
        wanted = None if decoders is None else {*decoders}
        if wanted != self._wanted:
            self._wanted = wanted
            self._update()

    def _chosen(self) -> list[int]:
        return chosen(self._there, [*(self._wanted or ()), *self._always], all_=self.searching)

    def _update(self) -> None:
        """Start rtl_433 again if that changes what it decodes."""
        if self._stream is None or (numbers := self._chosen()) == self._numbers:
            return
        self._numbers = numbers
        log.info("other decoders are wanted", decoders="all" if self.searching else shown(numbers, self._there))
        self._stream.reopen(self._receiver.child(numbers))


def shown(numbers: Iterable[int], there: Mapping[int, Decoder]) -> str:
    """Return decoders as text for people."""
    return ", ".join(f"{number} {there[number].name}" for number in numbers if number in there)
