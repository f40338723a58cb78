"""Find the class for the `kind` in a device's file."""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.config.toml_file import suggestion
from bootstrap.device import Device
from bootstrap.gateway import Adopted, Gateway

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

HOME = "daemons"
GROUP = "penates_kinds"  # of the entry points by which other packages declare kinds
_loaded: dict[str, int | None] = {}  # when the file of each of the user's own modules was changed, as loaded


class KindError(Exception):
    """The kind does not exist, or cannot be used."""


def names() -> list[str]:
    """Return the names of the built-in kinds."""
    return [*_built_in()]


@cache
def _built_in() -> tuple[str, ...]:
    spec = importlib.util.find_spec(HOME)
    folders = spec.submodule_search_locations if spec else None
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folders)))


def packaged() -> dict[str, str]:
    """Return the kinds that other installed packages declare, each with the name and version of its package."""
    return {point.name: _origin(point) for point in _entry_points()}


def find(kind: str, folder: Path | None) -> type[Device]:
    """Return the class of a kind: a file in `daemons/`, one of another package, or a dotted path to a user's own class.

    A user's module may be beside `house.toml`, in `folder`; without a folder only what is installed is loaded.

    Raises:
        KindError: the kind does not exist, or is not a working device.
    """
    if "." not in kind:
        if kind in names():
            return _single_device(kind, f"{HOME}.{kind}", folder)
        return _of_package(kind)
    module, _, name = kind.rpartition(".")
    if folder is None and not _is_installed(module):
        raise KindError(f"no kind {kind!r}: there is no house here, beside which {module} may be; name it by --config")
    found = getattr(_load(kind, module, folder), name, None)
    if not (isinstance(found, type) and issubclass(found, Device)):
        what = "is not a Device" if found else "is not there"
        raise KindError(f"no kind {kind!r}; {name} in {module} {what}")
    return _validated(kind, found)


def _entry_points() -> Iterable["EntryPoint"]:
    """Return the entry points of other packages. They are looked for only where a kind is not ours: that takes time."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - few houses have such kinds

    return entry_points(group=GROUP)


def _origin(point: "EntryPoint") -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _of_package(kind: str) -> type[Device]:
    """Return the class of a kind that another package declares."""
    points = [*_entry_points()]
    ours = [point for point in points if point.name == kind]
    if not ours:
        known = [*names(), *(point.name for point in points)]
        raise KindError(f"no kind {kind!r}; {suggestion(kind, known)} (for one of your own, set module.Class)")
    if len(ours) > 1:
        raise KindError(f"kind {kind!r} is declared by {' and by '.join(sorted(map(_origin, ours)))}; uninstall one")
    try:
        found = ours[0].load()
    except (Exception, SystemExit) as error:
        raise _not_loaded(f"{kind!r} of {_origin(ours[0])}", error) from error
    if not (isinstance(found, type) and issubclass(found, Device)):
        raise KindError(f"kind {kind!r} of {_origin(ours[0])}: {ours[0].value} is not a Device")
    return _validated(kind, found)


def _not_loaded(kind: str, error: BaseException) -> KindError:
    cause = error.__cause__ or error
    return KindError(f"kind {kind} cannot be loaded: {type(cause).__name__}: {cause}")


def _is_installed(module: str) -> bool:
    """Return whether the outermost package of a module is there, without loading it."""
    outermost = module.partition(".")[0]
    with suppress(ImportError, ValueError):
        return outermost in sys.modules or importlib.util.find_spec(outermost) is not None
    return False


def _validated(kind: str, found: type[Device]) -> type[Device]:
    """Return `found` if it is complete enough to work."""
    if issubclass(found, Adopted):
        raise KindError(f"kind {kind!r} is a sensor that a gateway carries; set the gateway's class as the kind")
    carried = [getattr(found, "adopts", None)] if issubclass(found, Gateway) else []
    for one in (found, *carried):
        if one in (None, Adopted):
            raise KindError(f"kind {kind!r} does not say what it carries: set adopts = … to a subclass of Adopted")
        if "__dataclass_fields__" not in vars(one):
            raise KindError(f"kind {kind!r}: put @dataclass(kw_only=True) above the class {one.__name__}")
    if isinstance(getattr(found, "opens", None), tuple | list):  # as up to version 0.2
        raise KindError(f"kind {kind!r}: opens is of no use; give a setting the type I2CBus or SpiDevice")
    if not found.measures:
        raise KindError(f"kind {kind!r} declares no Measure")
    if found.read is Device.read:
        raise KindError(f"kind {kind!r} has no read()")
    return found


def _single_device(kind: str, module: str, folder: Path | None) -> type[Device]:
    own = [
        value
        for value in vars(_load(kind, module, folder)).values()
        if isinstance(value, type) and issubclass(value, Device) and value.__module__ == module
        if not issubclass(value, Adopted)
    ]
    if len(own) != 1:
        raise KindError(f"the file of kind {kind!r} must define one device; it defines {len(own)}")
    return _validated(kind, own[0])


def _load(kind: str, module: str, folder: Path | None) -> object:
    path = str(folder.resolve()) if folder else ""
    if path and path not in sys.path:
        sys.path.append(path)
    # A supervisor runs for a long time: a user's own module may have been edited since it was loaded.
    if module in _loaded and _loaded[module] != _changed_ns(module):
        del sys.modules[module]
        importlib.invalidate_caches()
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise _not_loaded(repr(kind), error) from error
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
