"""Writing the file of a new device from the data sheet of its kind, if it fits into the house."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.loader import Configuration, device_file, open_house
from bootstrap.config.toml_file import Fault, SettingsError, convert, suggestion
from bootstrap.errors import Exit, Fatal
from bootstrap.paths import write_new
from penates.datasheet import Setting, Sheet, toml


@dataclass(frozen=True)
class NewDevice:
    """The file of a new device.

    Attributes:
        folder: of the configuration.
        name: of the file, without its end.
        sheet: the data sheet of its kind.
        values: the settings that are known, in TOML.
    """

    folder: Path
    name: str
    sheet: Sheet
    values: Mapping[str, str]

    @property
    def file(self) -> Path:
        """The file."""
        return self.folder / device_file(self.name)

    @property
    def missing(self) -> list[str]:
        """The settings that its owner has to set in the file."""
        return [one.name for one in self.sheet.settings if one.required and one.name not in self.values]

    def checked(self) -> str:
        """Return the text of the file. Faults elsewhere in the house are ignored, but for those of `house.toml`.

        Raises:
            SettingsError: it does not fit into the house.
        """
        group = open_house(self.folder)[1].group
        text = self.sheet.write(self.values, group, self.sheet.device.sensor_id(self.name))
        _must_fit(self.folder, self.name, text, self.missing)
        return text

    def write(self) -> None:
        """Write the file.

        Raises:
            SettingsError: it does not fit into the house, and nothing was written.
            OSError: it cannot be written, and nothing is left of it.
        """
        write_new(self.file, self.checked())


def why_not(error: OSError) -> str:
    """Return why a file could not be written, for people."""
    denied = isinstance(error, PermissionError)
    return "permission denied; use sudo" if denied else error.strerror or str(error)


def values_of(settings: Iterable[Setting], arguments: Iterable[str], folder: Path) -> dict[str, str]:
    """Return the settings on the command line, as TOML."""
    hints = {"group": str, "sensor": str} | {setting.name: setting.hint for setting in settings}
    values: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise Fatal(Exit.SETTINGS, f"settings are given as SETTING=VALUE, such as pin=17, not {argument!r}")
        if name not in hints:
            raise Fatal(Exit.SETTINGS, f"no setting {name!r}; {suggestion(name, hints)}")
        values[name] = as_toml(value, hints[name], folder)
    return values


def as_toml(typed: str, hint: object, folder: Path) -> str:
    """Return what a person typed as TOML: where a string is expected, the quotes may be left out.

    A value that fits neither with nor without quotes is left as it is, so that the check reports it.
    """
    whole = _is_toml(typed)
    if whole and _fits(tomllib.loads(f"value = {typed}")["value"], hint, folder):
        return typed
    return toml(typed) if _fits(typed, hint, folder) or not whole else typed


def _fits(value: object, hint: object, folder: Path) -> bool:
    try:
        convert(value, hint, folder)
    except ValueError:
        return False
    return True


def _is_toml(text: str) -> bool:
    try:
        return list(tomllib.loads(f"value = {text}")) == ["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return False


def _must_fit(folder: Path, name: str, text: str, missing: list[str]) -> None:
    """Check that the new file fits into the house; faults elsewhere in the house are ignored.

    Raises:
        SettingsError: it does not fit.
    """
    if os.path.lexists(folder / device_file(name)):
        raise SettingsError([Fault(device_file(name), 1, "already exists; nothing was written")])
    configuration = Configuration(folder, drafts={name: text.encode()})
    configuration.all()
    unset = tuple(f"{setting!r} is missing" for setting in missing)
    ours = [fault for fault in configuration.faults if fault.file == device_file(name)]
    if wrong := [fault for fault in ours if not (unset and fault.text.startswith(unset))]:
        raise SettingsError(wrong)
