"""The data folders and files that belong to the programme: in the wheel, or in the checkout."""

from collections.abc import Callable
from pathlib import Path

_HERE = Path(__file__).parent.parent
_PLACES = (_HERE / "penates" / "share", _HERE)


def folder(name: str) -> Path:
    """Return the path of a data folder, such as `mosquitto`.

    Raises:
        FileNotFoundError: this copy of the programme lacks it.
    """
    return _found(name, "folder", Path.is_dir)


def file(name: str) -> Path:
    """Return the path of a data file that is in no folder, such as the changelog.

    Raises:
        FileNotFoundError: this copy of the programme lacks it.
    """
    return _found(name, "file", Path.is_file)


def _found(name: str, what: str, is_one: Callable[[Path], bool]) -> Path:
    for place in _PLACES:
        if is_one(found := place / name):
            return found
    raise FileNotFoundError(f"no {what} {name!r} in {' or '.join(map(str, _PLACES))}: install penates again")
