"""`penates`, with a part that stops moving and does not notice: stuck.py reader|link COMMAND …"""

import sys
from collections.abc import Callable
from typing import Any

from bootstrap.mqtt import attempts
from bootstrap.runtime import sampler
from penates.__main__ import main


def read_once(self: Any) -> None:
    self.read()
    self._published()


def replace(owner: type, method: Callable[..., None], *names: str) -> None:
    for name in names:
        assert callable(getattr(owner, name)), name
        setattr(owner, name, method)


def forget(*_: Any) -> None:
    pass


if __name__ == "__main__":
    if sys.argv[1] == "reader":
        replace(sampler.Sampler, read_once, "_tick")
    else:
        attempts.CONNECT_S = 0.5
        replace(attempts.Attempts, forget, "_connected", "_failed")
    sys.exit(main(sys.argv[2:]))
