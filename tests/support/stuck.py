"""`penates`, with a part that stops moving and does not notice: stuck.py reader|link COMMAND …"""

import sys
from typing import Any

from bootstrap.mqtt import link
from bootstrap.runtime import sampler
from penates.__main__ import main


def read_once(self: Any) -> None:
    self.read()
    self._published()


def forget(*_: Any) -> None:
    pass


if __name__ == "__main__":
    if sys.argv[1] == "reader":
        sampler.Sampler._tick = read_once  # noqa: SLF001
    else:
        link.CONNECT_S = 0.5
        link.Link._connected = link.Link._not_connected = forget  # noqa: SLF001
    sys.exit(main(sys.argv[2:]))
