"""Find the class for the `kind` in a device's file."""

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

from bootstrap.config.toml_file import suggestion
from bootstrap.device import Device

HOME = "daemons"
_loaded: dict[str, int | None] = {}  # when the file of each of the user's own modules was changed, as loaded


class KindError(Exception):
    """The kind does not exist, or cannot be used."""


def names() -> list[str]:
    """Return the names of the built-in kinds."""
    spec = importlib.util.find_spec(HOME)
    folders = spec.submodule_search_locations if spec else None
    return sorted(module.name for module in pkgutil.iter_modules(folders))


def find(kind: str, folder: Path) -> type[Device]:
    """Return the class of a kind: a file in `daemons/`, or a dotted path to a class of the user's own.

    A user's module may be beside `house.toml`, in `folder`.

    Raises:
        KindError: the kind does not exist, or is not a working device.
    """
    if "." not in kind:
        if kind not in names():
            raise KindError(f"no kind {kind!r}; {suggestion(kind, names())} (for one of your own, set module.Class)")
        return _single_device(kind, f"{HOME}.{kind}", folder)
    module, _, name = kind.rpartition(".")
    found = getattr(_load(kind, module, folder), name, None)
    if not (isinstance(found, type) and issubclass(found, Device)):
        what = "is not a Device" if found else "is not there"
        raise KindError(f"no kind {kind!r}; {name} in {module} {what}")
    return _validated(kind, found)


def _validated(kind: str, found: type[Device]) -> type[Device]:
    """Return `found` if it is complete enough to work."""
    if "__dataclass_fields__" not in vars(found):
        raise KindError(f"kind {kind!r}: put @dataclass(kw_only=True) above the class")
    if isinstance(getattr(found, "opens", None), tuple | list):  # as up to version 0.2
        raise KindError(f"kind {kind!r}: opens is of no use; give a setting the type I2CBus or SpiDevice")
    if not found.measures:
        raise KindError(f"kind {kind!r} declares no Measure")
    if found.read is Device.read:
        raise KindError(f"kind {kind!r} has no read()")
    return found


def _single_device(kind: str, module: str, folder: Path) -> type[Device]:
    own = [
        value
        for value in vars(_load(kind, module, folder)).values()
        if isinstance(value, type) and issubclass(value, Device) and value.__module__ == module
    ]
    if len(own) != 1:
        raise KindError(f"the file of kind {kind!r} must define one device; it defines {len(own)}")
    return _validated(kind, own[0])


def _load(kind: str, module: str, folder: Path) -> object:
    path = str(folder.resolve())
    if path not in sys.path:
        sys.path.append(path)
    # A supervisor runs for a long time: a user's own module may have been edited since it was loaded.
    if module in _loaded and _loaded[module] != _changed_ns(module):
        del sys.modules[module]
        importlib.invalidate_caches()
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        cause = error.__cause__ or error
        raise KindError(f"kind {kind!r} cannot be loaded: {type(cause).__name__}: {cause}") from error
    if not module.startswith(f"{HOME}."):
        _loaded[module] = _changed_ns(module)
    return found


def _changed_ns(module: str) -> int | None:
    """Return when the file of a loaded module was last changed, in nanoseconds."""
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        return Path(file).stat().st_mtime_ns if file else None
    except OSError:
        return None
