"""The data folders that belong to the programme: in the wheel, or in the checkout."""

from pathlib import Path

_HERE = Path(__file__).parent.parent
_PLACES = (_HERE / "penates" / "share", _HERE)


def folder(name: str) -> Path:
    """Return the path of a data folder, such as `mosquitto`.

    Raises:
        FileNotFoundError: this copy of the programme lacks it.
    """
    for place in _PLACES:
        if (found := place / name).is_dir():
            return found
    raise FileNotFoundError(f"no folder {name!r} in {' or '.join(map(str, _PLACES))}: install penates again")
