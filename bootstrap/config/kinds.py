"""From the `kind` in a device's file to its class."""

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

from bootstrap.config.toml_file import suggestion
from bootstrap.device import Device

HOME = "daemons"
_loaded: dict[str, int | None] = {}  # the stamp of each module of the user's own, as it was loaded


class KindError(Exception):
    """There is no such kind, or it cannot be used."""


def names() -> list[str]:
    """The kinds we bring."""
    spec = importlib.util.find_spec(HOME)
    places = spec.submodule_search_locations if spec else None
    return sorted(module.name for module in pkgutil.iter_modules(places))


def find(kind: str, folder: Path) -> type[Device]:
    """The class of a kind: a file in `daemons/`, or a dotted path to a class of the user's own.

    A user's module may lie beside `house.toml`, in `folder`.

    Raises:
        KindError: there is none, or it is not a device that works.
    """
    if "." not in kind:
        if kind not in names():
            raise KindError(f"no kind {kind!r}; {suggestion(kind, names())} (one of your own is module.Class)")
        return _only(kind, f"{HOME}.{kind}", folder)
    module, _, name = kind.rpartition(".")
    found = getattr(_load(kind, module, folder), name, None)
    if not (isinstance(found, type) and issubclass(found, Device)):
        what = "is no Device" if found else "is not there"
        raise KindError(f"no kind {kind!r}; {name} in {module} {what}")
    return _whole(kind, found)


def _whole(kind: str, found: type[Device]) -> type[Device]:
    """Let only a class pass that can work."""
    if "__dataclass_fields__" not in vars(found):
        raise KindError(f"kind {kind!r}: put @dataclass(kw_only=True) above the class")
    if not found.measures:
        raise KindError(f"kind {kind!r} declares no Measure")
    if found.read is Device.read:
        raise KindError(f"kind {kind!r} has no read()")
    return found


def _only(kind: str, module: str, folder: Path) -> type[Device]:
    own = [
        thing
        for thing in vars(_load(kind, module, folder)).values()
        if isinstance(thing, type) and issubclass(thing, Device) and thing.__module__ == module
    ]
    if len(own) != 1:
        raise KindError(f"the file of kind {kind!r} must hold one device; it holds {len(own)}")
    return _whole(kind, own[0])


def _load(kind: str, module: str, folder: Path) -> object:
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)
    # A supervisor lives long: a class of the user's own may have been edited since.
    if module in _loaded and _loaded[module] != _stamp(module):
        del sys.modules[module]
        importlib.invalidate_caches()
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        cause = error.__cause__ or error
        raise KindError(f"kind {kind!r} cannot be loaded: {type(cause).__name__}: {cause}") from error
    if not module.startswith(f"{HOME}."):
        _loaded[module] = _stamp(module)
    return found


def _stamp(module: str) -> int | None:
    """When the file of a loaded module was changed last, in nanoseconds."""
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        return Path(file).stat().st_mtime_ns if file else None
    except OSError:
        return None
