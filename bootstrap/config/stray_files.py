"""Files in a configuration folder that nothing reads, although they look as if something should."""

import re
from collections.abc import Iterator
from pathlib import Path

from bootstrap.config.toml_file import Fault, TomlFile

SUFFIX = ".toml"
# What editors, package managers and people put behind the name of a file that is not to be used for now.
SET_ASIDE = re.compile(
    r"#.*|.*(~|\.(bak|backup|old|orig|save|off|disabled|sample|example|sw[a-p]|dpkg-\w+|rpm\w+|\d+))", re.IGNORECASE
)
DOCUMENT = re.compile(r"(readme|license|copying).*|.*\.md", re.IGNORECASE)
IGNORED = f"ignored: the name of a device's file ends in {SUFFIX}"


def set_aside(folder: Path, devices: str) -> list[Fault]:
    """Return a note for each file among the devices whose name says that it is not to be used for now."""
    found = [one.name for one in _others(folder / devices) if SET_ASIDE.fullmatch(one.name) and not one.is_dir()]
    return [Fault(f"{devices}/{name}", 1, IGNORED) for name in found]


def misplaced(folder: Path, devices: str, house: str) -> list[Fault]:
    """Return a fault for each file that nothing reads only because of its name or its place."""
    return [*_misnamed(folder, devices), *_beside_the_house(folder, devices, house)]


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder and not hidden; nothing if it cannot be read, which others report."""
    try:
        return sorted(one for one in folder.iterdir() if one.name[0] != ".")
    except OSError:
        return []


def _others(folder: Path) -> list[Path]:
    """Return what is in a folder and neither hidden nor a device's file."""
    return [one for one in _entries(folder) if not one.name.endswith(SUFFIX)]


def _misnamed(folder: Path, devices: str) -> Iterator[Fault]:
    for one in _others(folder / devices):
        if one.is_dir():
            if any(inner.suffix.lower() == SUFFIX for inner in _entries(one)):
                yield Fault(f"{devices}/{one.name}", 1, f"ignored: it is a folder; move its files to {devices}")
        elif not SET_ASIDE.fullmatch(one.name) and not DOCUMENT.fullmatch(one.name):
            name = one.name.partition(".")[0] + SUFFIX
            yield Fault(f"{devices}/{one.name}", 1, f"{IGNORED}; rename it to {name}, or move it elsewhere")


def _beside_the_house(folder: Path, devices: str, house: str) -> Iterator[Fault]:
    """Yield a fault for each device's file that is not in its folder, and for a house's file by another name."""
    for file in _entries(folder):
        if file.name == house or file.is_dir():
            continue
        if file.stem.lower() == Path(house).stem and not (folder / house).exists():
            yield Fault(file.name, 1, f"ignored: rename it to {house}")
        elif file.suffix == SUFFIX and isinstance(TomlFile(folder, file.name).table.get("kind"), str):
            yield Fault(file.name, 1, f"ignored: a device's file belongs in {devices}; move it there")
