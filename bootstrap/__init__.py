"""What every daemon of the house shares: configuration, topics, the link to the broker, the life of a process."""

import importlib
import sys
import urllib
from types import ModuleType

__version__ = "0.1.0"

PROXIES = "urllib.request"


class _Later(ModuleType):
    """Stands for a module until something of it is asked for; importlib's LazyLoader would load it at once."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


# paho imports it for proxies alone, which a sensor never asks for, and with it http and email: 2.5 MB, 15 ms.
if PROXIES not in sys.modules:
    urllib.request = sys.modules[PROXIES] = _Later(PROXIES)  # type: ignore[attr-defined]
