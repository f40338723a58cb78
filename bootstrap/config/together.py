"""`[together]` in `house.toml`: sensors that share a process because their owner says so."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from bootstrap.config.toml_file import TomlFile, suggestion
from bootstrap.contract.topics import ID_RULE, is_id

SECTION = "together"


def read_together(source: TomlFile, section: object, files: Collection[str]) -> dict[str, list[str]]:
    """Return the groups, each with the names of its sensors' files; their faults are added to those of `source`.

    `files` are the names of all devices' files.
    """
    if not isinstance(section, dict):
        source.fault(f"{SECTION!r} must be a section, [{SECTION}]", source.line(SECTION))
        return {}
    found: dict[str, list[str]] = {}
    for name, sensors in section.items():
        faults = [*_faults(name, sensors, files, found)]
        for fault in faults:
            source.fault(fault, source.line(name, SECTION))
        if not faults:
            found[name] = sensors
    return found


def _faults(name: str, sensors: object, files: Collection[str], known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield what is wrong with one group; `known` are those before it."""
    if not is_id(name):
        yield f"the name of a process must be {ID_RULE}, not {name!r}"
    elif name in files:
        yield f"{name!r} is the name of a device's file, too; choose another name for the process"
    if not isinstance(sensors, list) or not sensors or not all(isinstance(one, str) for one in sensors):
        yield f'{name!r} must be a list of sensors\' files without .toml, such as ["probe1", "probe2"]'
        return
    for one in dict.fromkeys(sensors):
        if one not in files:
            yield f"{name!r}: there is no device {one!r}; {suggestion(one, files) if files else 'there is none at all'}"
        elif sensors.count(one) > 1:
            yield f"{name!r} names {one!r} twice"
        elif other := next((group for group, names in known.items() if one in names), None):
            yield f"{name!r}: {one!r} is already in {other!r}; a sensor runs in one process"


def processes(files: Sequence[str], together: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the processes of a house, each with its sensors' files, in the order of the files."""
    shared = {one: name for name, sensors in together.items() for one in sensors}
    found: dict[str, list[str]] = {}
    for one in files:
        found.setdefault(shared.get(one, one), []).append(one)
    return found
