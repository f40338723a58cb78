"""Adding a sensor to a gateway's file: a section at its end, while everything else stays as it is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.gateway_file import section_of
from bootstrap.config.loader import Configuration, device_file
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, suggestion
from bootstrap.errors import Exit, Fatal
from bootstrap.gateway import Adopted, Gateway
from bootstrap.paths import write_new
from penates.files.edited_device import EditedDevice
from penates.files.install_paths import HOUSE
from penates.files.toml_edit import toml, with_section


@dataclass(frozen=True)
class Adopting:
    """A gateway's file that is to carry another sensor.

    Attributes:
        folder: the configuration folder.
        file: the gateway's file, relative to it.
        adopts: the class of its sensors.
        name: the new sensor's.
    """

    folder: Path
    file: str
    adopts: type[Adopted]
    name: str

    @classmethod
    def at(cls, folder: Path, gateway: str, name: str) -> "Adopting":
        """Return what is needed to have the gateway `group/sensor` adopt a sensor of this name.

        Raises:
            Fatal: there is no such gateway, or its file has faults.
            SettingsError: it carries a sensor of this name.
        """
        found = {one.topics.client_id: one for one in Configuration(folder, secrets=False).all().values()}
        gateways = {name: one.device for name, one in found.items() if isinstance(one.device, Gateway)}
        if gateway in gateways:
            if name in {*found[gateway].carried, *found[gateway].unusable}:
                line = TomlFile(folder, found[gateway].file).line(section_of(name))
                raise SettingsError(
                    [Fault(found[gateway].file, line, f"{name!r} is already there; nothing was written")]
                )
            return cls(folder, found[gateway].file, gateways[gateway].adopts, name)
        known = suggestion(gateway, gateways) if gateways else "this house has none without faults (penates check)"
        raise Fatal(Exit.SETTINGS, f"{gateway} is no gateway; {known}")

    @property
    def section(self) -> str:
        """The section of the new sensor."""
        return section_of(self.name)

    def write(self, values: Mapping[str, str]) -> Path:
        """Write the section with these settings, in TOML. Returns the file.

        Raises:
            SettingsError: it would have a fault, and nothing was written.
            Fatal: the file cannot be written.
        """
        edited = EditedDevice(self.folder, self.file)
        return edited.write(with_section(edited.text, self.section, values))

    def apply(self, values: Mapping[str, str], config: Path | None) -> None:
        """Write the section, and have an installed house use it; in another one, print how, for `--config` as given."""
        file = self.write(values)
        print(f"{file}: [{self.section}] was added")
        if self.folder == HOUSE:
            from penates.installer import adoption  # noqa: PLC0415 - needed in an installed house alone

            adoption.apply(file.stem)
        else:
            print(f"Next: penates reload{config_words(config)}")


def config_words(config: Path | None) -> str:
    """Return ` --config DIR` as it was given to a command, for the next one; empty if it was not."""
    return f" --config {config}" if config else ""


def new_gateway(folder: Path, kind: str, name: str, values: Mapping[str, str]) -> Path:
    """Write the file of a gateway of this kind that carries this sensor, and is called as its kind. Returns the file.

    Raises:
        SettingsError: it is there already, or would have a fault; nothing was written.
        Fatal: the file cannot be written.
    """
    file = device_file(kind)
    if os.path.lexists(folder / file):
        raise SettingsError([Fault(file, 1, "already exists; nothing was written")])
    text = with_section(f"kind = {toml(kind)}\n", section_of(name), values)
    configuration = Configuration(folder, drafts={kind: text.encode()}, secrets=False)
    configuration.all()
    if faults := [fault for fault in configuration.faults if fault.file == file]:
        raise SettingsError(faults)
    try:
        write_new(folder / file, text)
    except OSError as error:
        raise Fatal(Exit.SETTINGS, f"{folder / file} cannot be written: {error.strerror}; use sudo?") from None
    return folder / file
