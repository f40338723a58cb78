"""Registers as a device's file describes them, such as `voltage = input 0 uint16 * 0.1 V`."""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bootstrap.contract.topics import ID_RULE
from bootstrap.device import Measure, Reading, is_measure_name
from bootstrap.modbus.slave import COILS, DISCRETE, HOLDING, INPUT, MOST, ModbusSlave, Refusal

TABLES = {"coil": COILS, "discrete": DISCRETE, "holding": HOLDING, "input": INPUT}
TYPES = {
    "bool": "?",
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float32": "f",
    "float64": "d",
}
DIGITS, MOST_DIGITS = {"float32": 7}, 15  # that a number truly has, by its type
WHOLE = re.compile(r"-?\d+")
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")  # of bytes: the first is the standard's, the second has the low word first
COUNTER = "counter"
FORM = re.compile(
    r"(?P<name>\S+) *= *(?P<table>\w+) +(?P<number>0x[0-9A-Fa-f]+|\d+)(?: +(?P<type>\w+))?(?: +(?P<order>[ABCD]{4}))?"
    r"(?: *\* *(?P<scale>-?\d+(?:\.\d+)?(?:e-?\d+)?))?(?: +(?P<unit>(?!counter$)[^\s*]+?))?(?: +(?P<counter>counter))?"
)
EXAMPLE = "voltage = input 0 uint16 * 0.1 V"


@dataclass(frozen=True)
class Register:
    """A measure, and where it is. ValueError: it is none; the message says what one must be."""

    text: str

    def __post_init__(self) -> None:
        try:
            self._check()
        except ValueError as error:
            raise ValueError(
                f"registers such as {EXAMPLE!r}, or the name of a meter (of {self.text!r}: {error})"
            ) from None

    def _check(self) -> None:
        if not is_measure_name(self.name):
            raise ValueError(f"{self.name!r} must be {ID_RULE}, and not reserved")
        if self._part("table") not in TABLES:
            raise ValueError(f"{self._part('table')!r} is not a table; those are {', '.join(TABLES)}")
        if self.type not in TYPES or (self.is_bit and self.type != "bool"):
            known = "bool" if self.is_bit else ", ".join(TYPES)
            raise ValueError(f"{self.type!r} is not a type of it; those are {known}")
        if self._order not in ORDERS:
            raise ValueError(f"{self._order} is not an order of bytes; those are {', '.join(ORDERS)}")
        if self.first + self.size > 0x10000:  # noqa: PLR2004 - what two bytes can count
            raise ValueError("a table has 65536 registers, counted from 0")
        if self.type == "bool" and (self._part("unit") or self._part("scale") or self._part(COUNTER)):
            raise ValueError("a bool has neither scale nor unit")

    @cached_property
    def _parts(self) -> Mapping[str, str | None]:
        found = FORM.fullmatch(" ".join(self.text.split()))
        if found is None:
            raise ValueError("write NAME = TABLE NUMBER TYPE, then the order of bytes, * SCALE and UNIT where needed")
        return found.groupdict()

    def _part(self, name: str) -> str:
        return self._parts[name] or ""

    @property
    def name(self) -> str:
        """The measure's name."""
        return self._part("name")

    @property
    def function(self) -> int:
        """The function that reads its table."""
        return TABLES[self._part("table")]

    @property
    def is_bit(self) -> bool:
        """Whether its table has bits in place of registers."""
        return self.function in (COILS, DISCRETE)

    @property
    def type(self) -> str:
        """Its type, which may be left out of a bit."""
        return self._part("type") or ("bool" if self.is_bit else "uint16")

    @property
    def _order(self) -> str:
        return self._part("order") or ORDERS[0]

    @property
    def first(self) -> int:
        """Its number as on the wire, counted from 0."""
        return int(self._part("number"), 0)

    @property
    def size(self) -> int:
        """How many registers or bits it takes."""
        return max(1, struct.calcsize(f">{TYPES[self.type]}") // 2)

    @property
    def measure(self) -> Measure:
        """What is declared of it."""
        if self.type == "bool":
            return Measure(bool)
        return Measure(self._part("unit") or "1", counter=bool(self._part(COUNTER)))

    def value(self, data: bytes) -> bool | float:
        """Return what its registers hold."""
        words = [data[at : at + 2] for at in range(0, len(data), 2)]
        if self._order in ("CDAB", "DCBA"):
            words.reverse()
        if self._order in ("BADC", "DCBA"):
            words = [word[::-1] for word in words]
        if self.type == "bool":
            return any(words[0])
        raw: float = struct.unpack(f">{TYPES[self.type]}", b"".join(words))[0]
        scale = self._part("scale") or "1"
        if WHOLE.fullmatch(scale) and self.type != "float32":
            return raw * int(scale)
        return float(f"{raw * float(scale):.{DIGITS.get(self.type, MOST_DIGITS)}g}")


def measures_of(registers: Iterable[Register]) -> dict[str, Measure]:
    """Return the measures that registers declare.

    Raises:
        ValueError: two have one name.
    """
    found = dict[str, Measure]()
    for one in registers:
        if one.name in found:
            raise ValueError(f"'registers' has {one.name!r} twice; name one of them otherwise")
        found[one.name] = one.measure
    return found


def read_all(slave: ModbusSlave, registers: Sequence[Register]) -> Reading:
    """Return all values. Neighbours are read in one go; what the device refuses costs only those.

    Raises:
        OSError: the device does not answer.
        ValueError: what comes is no answer.
    """
    return {name: value for group in neighbours(registers) for name, value in _tried(slave, group).items()}


def _tried(slave: ModbusSlave, group: Sequence[Register]) -> Mapping[str, bool | float | ValueError]:
    """Return the values of neighbours; where one of them may not be there, each is asked for by itself."""
    try:
        return _read(slave, group)
    except Refusal as refusal:
        if len(group) == 1 or not refusal.lacks:
            return {one.name: refusal for one in group}
    return {name: value for one in group for name, value in _tried(slave, [one]).items()}


def neighbours(registers: Iterable[Register]) -> Iterator[list[Register]]:
    """Yield registers that follow each other without a gap: a device may refuse what lies in one."""
    group: list[Register] = []
    for one in sorted(registers, key=lambda one: (one.function, one.first)):
        last = group[-1] if group else None
        joins = last and last.function == one.function and last.first + last.size >= one.first
        if group and (not joins or one.first + one.size - group[0].first > MOST):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _read(slave: ModbusSlave, group: Sequence[Register]) -> dict[str, bool | float]:
    first, function = group[0].first, group[0].function
    count = max(one.first + one.size for one in group) - first
    if group[0].is_bit:
        bits = slave.bits(function, first, count)
        return {one.name: bits[one.first - first] for one in group}
    data = slave.registers(function, first, count)
    return {one.name: one.value(data[2 * (one.first - first) :][: 2 * one.size]) for one in group}
