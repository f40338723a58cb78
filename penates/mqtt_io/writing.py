"""Writing the device files that stand for a configuration of mqtt-io; none that exists is changed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.loader import Configuration, device_file, open_house
from bootstrap.errors import Exit, Fatal
from bootstrap.paths import write_new
from penates.datasheet import sheet
from penates.files.toml_edit import with_section
from penates.mqtt_io.takeover import CounterpartDevice, Remark, Takeover
from penates.mqtt_io.yaml_lines import read_yaml


@dataclass(frozen=True)
class PlannedDevice:
    """A device and the text of its file; or why it is not written."""

    device: CounterpartDevice
    text: str
    why_not: str = ""


class HouseTakeover:
    """What a configuration of mqtt-io becomes in the house of a folder."""

    def __init__(self, folder: Path, file: Path) -> None:
        """Read both.

        Raises:
            SettingsError, Fatal: one of them cannot be read.
        """
        self.folder, self.file = folder, file
        self.group = open_house(folder)[1].group
        takeover = Takeover(read_yaml(file))
        drafts = {one.name: self._text(one) for one in takeover.devices}
        faults = self._faults(drafts)
        self.devices = [PlannedDevice(one, drafts[one.name], self._why_not(one, faults)) for one in takeover.devices]
        kept = [Remark(one.device.line, f"{one.device.name}: {one.why_not}") for one in self.devices if one.why_not]
        self.remarks = sorted([*takeover.remarks, *kept])

    @property
    def written(self) -> list[PlannedDevice]:
        """Those that are, or are going to be written."""
        return [one for one in self.devices if not one.why_not]

    def write(self) -> Iterator[Path]:
        """Write the files, and yield each.

        Raises:
            Fatal: one cannot be written; those before it are.
        """
        for one in self.written:
            file = self.folder / device_file(one.device.name)
            try:
                write_new(file, one.text)
            except OSError as error:
                raise Fatal(Exit.ABSENT, f"{file} cannot be written: {error.strerror}; use sudo?") from None
            yield file

    def topics(self) -> Iterator[tuple[str, str]]:
        """Yield each topic of mqtt-io, and the one that takes its place."""
        for one in self.written:
            for old, measure in one.device.topics.items():
                yield old, f"{self.group}/{one.device.name}/data/{measure}"

    def _text(self, one: CounterpartDevice) -> str:
        text = sheet(one.kind, self.folder).write(one.settings, self.group, one.name)
        for measure, digits in one.decimals.items():
            text = with_section(text, measure, {"round": str(digits)})
        return text

    def _faults(self, drafts: dict[str, str]) -> dict[str, str]:
        new = {name: text.encode() for name, text in drafts.items() if not self._exists(name)}
        configuration = Configuration(self.folder, drafts=new, secrets=False)
        configuration.all()
        return {fault.file: fault.text for fault in reversed(configuration.faults)}

    def _exists(self, name: str) -> bool:
        return os.path.lexists(self.folder / device_file(name))

    def _why_not(self, one: CounterpartDevice, faults: dict[str, str]) -> str:
        if self._exists(one.name):
            return f"{device_file(one.name)} already exists and is left as it is"
        fault = faults.get(device_file(one.name))
        return f"no file was written, as it would have a fault: {fault}" if fault else ""
