"""A module of private kinds, as text."""

PHONE = '''
"""Phones."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap import Adopted, Device, Gateway, Measure, Reading


@dataclass(kw_only=True)
class Phone(Device):
    """Who is at home: whoever has a file. Wiring: none."""

    file: Path = Path("phone")

    private = True

    present = Measure(bool)

    def read(self) -> Reading:
        return {"present": self.file.exists()}


@dataclass(kw_only=True)
class Known(Adopted):
    """A phone. Wiring: none."""

    id: int

    private = True
    present = Measure(bool)


@dataclass(kw_only=True)
class Phones(Gateway):
    """Many phones. Wiring: none."""

    adopts: ClassVar = Known
    heard = Measure("1")

    def read(self) -> Reading:
        return {"heard": 0}
'''
