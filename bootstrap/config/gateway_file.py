"""The sensors that a gateway carries: the sections `[sensors.NAME]` of its file.

A fault in one of them costs that sensor alone.
"""

from dataclasses import dataclass, field, replace

from bootstrap.config.conflicts import refused_needs
from bootstrap.config.measure_sections import ConfiguredDevice, configured_device
from bootstrap.config.model import AnnouncementSettings, SensorSettings
from bootstrap.config.toml_file import Fault, TomlFile
from bootstrap.contract.topics import ID_RULE, RESERVED_SENSORS, Topics, is_id
from bootstrap.device import Device
from bootstrap.gateway import Adopted, Gateway

SECTIONS = "sensors"
ANNOUNCEMENT = "homeassistant"  # what a section, as a device's file, may set beside the settings of its kind
LEAST_EVERY_S = 0.01


def section_of(name: str) -> str:
    """Return the name of a sensor's section."""
    return f"{SECTIONS}.{name}"


@dataclass
class GatewayFile:
    """The sections of a gateway's file: the devices in them, and the faults of those that cannot be used.

    `announcements` has what sections say of the announcement of their sensors.
    """

    adopts: type[Adopted]
    source: TomlFile
    devices: dict[str, ConfiguredDevice[Adopted]] = field(default_factory=dict)
    announcements: dict[str, AnnouncementSettings] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)

    @classmethod
    def read(cls, gateway: type[Gateway], source: TomlFile, sections: object) -> "GatewayFile":
        """Read every section, and add the faults to `source`, too."""
        found = cls(gateway.adopts, source)
        if not isinstance(sections, dict):
            source.fault(f"{SECTIONS!r} must be sections, such as [{section_of('NAME')}]", source.line(SECTIONS))
            return found
        for name, table in sections.items():
            before = len(source.faults)
            device = found._device(name, table)
            if device is None or len(source.faults) > before:
                found.faults[name] = source.faults[before:]
            else:
                found.devices[name] = device
        return found

    def _device(self, name: str, table: object) -> ConfiguredDevice[Adopted] | None:
        """Return the device of a section, or None after adding the reasons to the faults."""
        place = section_of(name)
        line = max(self.source.line(place), self.source.line(name, SECTIONS))
        if not is_id(name):
            self.source.fault(f"a sensor's name must be {ID_RULE}, not {name!r}", line)
        elif name in RESERVED_SENSORS:
            self.source.fault(f"the sensor id {name!r} is reserved; choose another name", line)
        if not isinstance(table, dict):
            self.source.fault(f"{place!r} must be a section, [{place}]", line)
            return None
        settings = dict(table)
        announced = settings.pop(ANNOUNCEMENT, {})
        if said := self.source.section(f"{place}.{ANNOUNCEMENT}", announced, AnnouncementSettings):
            self.announcements[name] = said
        try:
            made = configured_device(self.adopts, self.source, settings, place)
        except Exception as error:  # noqa: BLE001 - a class of the user's own may raise anything
            self.source.fault(f"{name!r} cannot be created: {error!r}", line)
            return None
        if made:
            self._check(name, made.device)
        return made

    def _check(self, name: str, device: Adopted) -> None:
        """Check what types cannot express."""
        place = section_of(name)
        check_device(device, self.source, place)
        if not device.measures:
            self.source.fault(f"{name!r} has no measure", self.source.line(place))
        twin = next((one for one, other in self.devices.items() if other.device.key == device.key), None)
        if twin:
            key = ", ".join(f"{setting} {value!r}" for setting, value in device.key.items())
            self.source.fault(
                f"{key} is already adopted as {twin!r}", max(self.source.line(one, place) for one in device.key)
            )

    def carried_by(self, gateway: SensorSettings) -> SensorSettings:
        """Return the settings of a gateway with those of the sensors that it carries."""
        carried = {
            name: replace(
                gateway,
                topics=Topics(gateway.topics.group, name),
                device=made.device,
                filters=made.filters,
                homeassistant=gateway.homeassistant.of(self.announcements[name]),
                section=section_of(name),
                user=gateway.topics.sensor,
            )
            for name, made in self.devices.items()
        }
        unusable = {name: "; ".join(map(str, faults)) for name, faults in self.faults.items()}
        return replace(gateway, carried=carried, unusable=unusable)


def check_device(device: Device, source: TomlFile, section: str = "") -> None:
    """Check what types cannot express of the settings that many kinds have; `section` contains them."""
    if device.every_s < LEAST_EVERY_S:
        limit = f"'every_s' must be at least {LEAST_EVERY_S:g}, not {device.every_s:g}"
        source.fault(limit, source.line("every_s", section))
    for name, why in refused_needs(device):
        source.fault(f"{name!r} must be {why}", source.line(name, section))
