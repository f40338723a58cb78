"""Any contact, under a name of its owner's choice."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.named_contact import NamedContact
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class AnyContact(NamedContact):
    """Any contact, or the digital output of a module; its owner says what it is called and what it means.

    Wiring: one leg to `pin`, the other to GND. A module instead: its DO or OUT to `pin`, VCC to 3V3, GND to GND.
    """

    parts: ClassVar = dict.fromkeys(("SW-420", "SW-18010P", "TTP223", "KY-036", "float switch"), DRIVEN_LINES)
