"""What `penates doctor` finds of adopted devices that Home Assistant would show twice: as ours, and as their own."""

from collections.abc import Collection, Iterator

from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.config.model import House, SensorSettings
from bootstrap.contract.payload import decode
from bootstrap.errors import Refused
from bootstrap.mqtt.address import BrokerAddress
from penates.doctor.broker_checks import heard_by_eyes
from penates.doctor.findings import SUDO, Finding, bad, good, unknown
from penates.fleet.announced_devices import AnnouncedDevices
from penates.fleet.recognised_devices import RecognisedDevice, announced_as

CHECK = "announced once"
SILENT = "homeassistant = {{ enabled = false }} in [{section}] of {file}"


def twice_announced(house: House, sensors: Collection[SensorSettings], host: str) -> Iterator[Finding]:
    """Check that each adopted device is announced to Home Assistant by its own program or by us, and not by both."""
    adopted = {one.topics.client_id: one for one in sensors if isinstance(one.device, AdoptedDevice)}
    if not adopted:
        return
    announced = AnnouncedDevices(house.homeassistant.prefix)
    messages = heard_by_eyes(BrokerAddress.of(next(iter(adopted.values()))), host, announced.filters)
    if messages is None:
        yield unknown(CHECK, "we may not read what other programs announce to Home Assistant", SUDO)
        return
    for topic, payload in messages.items():
        try:
            announced.hear(topic, decode(payload))
        except Refused:
            continue
    found = [*_twice(announced, adopted)]
    yield from found or [good(CHECK, "no adopted device is announced to Home Assistant by its program and by us")]


def _twice(announced: AnnouncedDevices, adopted: dict[str, SensorSettings]) -> Iterator[Finding]:
    own = [RecognisedDevice.announced(one) for one in announced.devices()]
    for name, settings in adopted.items():
        device = settings.device
        if not (settings.homeassistant.enabled and isinstance(device, AdoptedDevice)):
            continue
        if other := announced_as(device.key, [*device.topics.values], announced, own):
            silent = SILENT.format(section=settings.section, file=settings.file)
            text = f"Home Assistant shows {name} twice: its own program announces it as {other!r}, too"
            yield bad(CHECK, text, f"{silent} ends ours; or end the other one in its program")
