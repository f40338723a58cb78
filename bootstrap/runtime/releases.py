"""What a sensor has taken and must release, in the order opposite to that of taking."""

from collections.abc import Callable
from functools import partial
from typing import Any


class Releases:
    """Calls that release something, as `contextlib.ExitStack` has them, in a tenth of its memory."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: list[Callable[[], object]] = []

    def callback(self, call: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401 - of any call
        """Have this called at `close`, before everything that was added earlier."""
        self._calls.append(partial(call, *arguments) if arguments else call)

    def close(self) -> None:
        """Make all calls, even if some of them fail, and forget them.

        The exception of the last one that fails propagates; those before it are its context.
        """
        failed: BaseException | None = None
        while self._calls:
            try:
                self._calls.pop()()
            except BaseException as error:  # noqa: BLE001 - it propagates at the end
                error.__context__ = failed
                failed = error
        if failed is not None:
            raise failed
