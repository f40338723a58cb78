"""A YAML file with the line of everything in it, and a record of what has been used."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bootstrap.config.toml_file import contents
from bootstrap.errors import Exit, Fatal, to_install

if TYPE_CHECKING:
    from yaml.nodes import Node

MOST = 20_000  # values in a file, aliases followed
T = TypeVar("T", bound="int | float | str | bool")


@dataclass
class Entry:
    """A mapping: each value with its line. A value that was taken is one that somebody had a use for."""

    line: int
    values: dict[str, "tuple[Any, int]"]
    taken: set[str] = field(default_factory=set)

    def take(self, key: str, default: T) -> T:
        """Return the value of a key if it is of the default's type, else the default; another type stays untaken."""
        value = self.values.get(key, (default, 0))[0]
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            return default
        self.taken.add(key)
        return value

    def text(self, key: str) -> str:
        """Return the value of a key as text, whether it was written as a number or not; empty if there is none."""
        value = self.values.get(key, ("", 0))[0]
        if not isinstance(value, int | float | str) or isinstance(value, bool):
            return ""
        self.taken.add(key)
        return str(value)

    def entry(self, key: str) -> "Entry":
        """Return the mapping below a key; an empty one if there is none."""
        value = self.values.get(key, (None, self.line))
        self.taken.add(key)
        return value[0] if isinstance(value[0], Entry) else Entry(value[1], {})

    def entries(self, key: str) -> "list[Entry]":
        """Return the mappings in the list below a key."""
        value = self.values.get(key, (None, 0))[0]
        self.taken.add(key)
        return [one for one, _ in value if isinstance(one, Entry)] if isinstance(value, list) else []

    def has(self, key: str) -> bool:
        """Return whether a key is there."""
        return key in self.values

    def line_of(self, key: str) -> int:
        """Return the line of a key; that of the mapping if it is not there."""
        return self.values.get(key, (None, self.line))[1]

    def ignore(self, *keys: str) -> None:
        """Take keys that mean nothing here."""
        self.taken.update(keys)

    def untaken(self) -> Iterator[tuple[str, int]]:
        """Yield the keys that nobody had a use for, each with its line."""
        yield from ((key, line) for key, (_, line) in self.values.items() if key not in self.taken)


def read_yaml(file: Path) -> Entry:
    """Read a file whose top is a mapping.

    Raises:
        Fatal: it cannot be read, is no such YAML, or PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - an extra that nothing else needs
    except ImportError:
        advice = f"{to_install('pyyaml')}, or sudo apt install python3-yaml for Debian's Python"
        raise Fatal(Exit.ABSENT, f"reading YAML needs PyYAML: {advice}") from None
    try:
        loader = yaml.SafeLoader(contents(file))
        node = loader.get_single_node()
        found = _Composed(loader).value(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Fatal(Exit.SETTINGS, f"{file}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise Fatal(Exit.SETTINGS, f"{file} cannot be read: {error}") from None
    if not isinstance(found, Entry):
        raise Fatal(Exit.SETTINGS, f"{file}:1: not a configuration: it has no mapping at its top")
    return found


@dataclass
class _Composed:
    """The values of nodes, each as Python has it."""

    loader: Any
    count: int = 0

    def value(self, node: "Node") -> Any:  # noqa: ANN401 - any value of YAML
        import yaml  # noqa: PLC0415 - as above

        self.count += 1
        if self.count > MOST:
            raise ValueError(f"it has more than {MOST} values")
        if isinstance(node, yaml.MappingNode):
            self.loader.flatten_mapping(node)
            found = {str(key.value): (self.value(one), key.start_mark.line + 1) for key, one in node.value}
            return Entry(node.start_mark.line + 1, found)
        if isinstance(node, yaml.SequenceNode):
            return [(self.value(one), one.start_mark.line + 1) for one in node.value]
        return self.loader.construct_object(node)
