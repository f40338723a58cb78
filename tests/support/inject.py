"""`penates`, with an exception in one of our own functions: inject.py module:Class.method run NAME --config DIR."""

import importlib
import sys
from typing import Any, NoReturn

from bootstrap.mqtt import delivery
from penates.__main__ import main


class InjectedError(RuntimeError):
    pass


def broken(*_: Any, **__: Any) -> NoReturn:
    raise InjectedError


def inject(target: str) -> None:
    module, _, path = target.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, name = path.split(".")
    for part in classes:
        owner = getattr(owner, part)
    assert callable(getattr(owner, name)), target
    setattr(owner, name, property(broken) if isinstance(vars(owner)[name], property) else broken)


if __name__ == "__main__":
    delivery.PUBACK_S = 0.5  # so that a frozen broker is noticed in a test's time
    inject(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
