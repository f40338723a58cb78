"""What `penates doctor` finds of adopted devices by what their own programs have told the broker."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.config.model import House, SensorSettings
from bootstrap.contract.payload import decode
from bootstrap.errors import Refused
from bootstrap.mqtt.address import BrokerAddress
from penates.doctor.broker_checks import heard_by_eyes
from penates.doctor.findings import SUDO, Finding, bad, good, unknown
from penates.fleet.announced_devices import AnnouncedDevices
from penates.fleet.exposed_devices import LISTED
from penates.fleet.exposed_devices import PROFILE as ZIGBEE
from penates.fleet.recognised_devices import RecognisedDevice, announced_as

ANNOUNCED, ZIGBEE2MQTT = "announced once", "zigbee2mqtt"
INFO = "/bridge/info"
SILENT = "homeassistant = {{ enabled = false }} in [{section}] of {file}"
LOST = "so nothing says when the program has lost a device, and only silent_s does"
LATE = "so a report that was held up has the time of its arrival"


def adopted_devices(house: House, sensors: Collection[SensorSettings], host: str) -> Iterator[Finding]:
    """Check that each is announced once to Home Assistant, and what Zigbee2MQTT has of those that it carries."""
    adopted = [one for one in sensors if isinstance(one.device, AdoptedDevice)]
    if not adopted:
        return
    announced = AnnouncedDevices(house.homeassistant.prefix)
    bases = sorted({base for one in adopted if (base := _zigbee_base(one))})
    filters = [*announced.filters, *(f"{base}{end}" for base in bases for end in (LISTED, INFO))]
    messages = heard_by_eyes(BrokerAddress.of(adopted[0]), host, filters)
    if messages is None:
        yield unknown(ANNOUNCED, "we may not read what other programs announce to Home Assistant", SUDO)
        return
    for topic, payload in messages.items():
        if announced.is_one(topic):
            with suppress(Refused):
                announced.hear(topic, decode(payload))
    yield from [*_twice(announced, adopted)] or [good(ANNOUNCED, "no adopted device is announced by us and by another")]
    for base in bases:
        yield from _zigbee(base, messages, [one for one in adopted if _zigbee_base(one) == base])


def _twice(announced: AnnouncedDevices, adopted: Collection[SensorSettings]) -> Iterator[Finding]:
    own = [RecognisedDevice.announced(one) for one in announced.devices()]
    for settings in adopted:
        device, name = settings.device, settings.topics.client_id
        if not (settings.homeassistant.enabled and isinstance(device, AdoptedDevice)):
            continue
        if other := announced_as(device.key, [*device.topics.values], announced, own):
            silent = SILENT.format(section=settings.section, file=settings.file)
            text = f"Home Assistant shows {name} twice: its own program announces it as {other!r}, too"
            yield bad(ANNOUNCED, text, f"{silent} ends ours; or end the other one in its program")


def _zigbee_base(settings: SensorSettings) -> str:
    """Return the first levels of the topics of a device at Zigbee2MQTT; empty for others."""
    key = settings.device.key if isinstance(settings.device, AdoptedDevice) else {}
    return str(key["base"]) if key.get("profile") == ZIGBEE else ""


def _zigbee(base: str, messages: Mapping[str, bytes], adopted: Collection[SensorSettings]) -> Iterator[Finding]:
    """Check one Zigbee2MQTT: which devices it has, and what it does not say as it comes."""
    listed, info = _json(messages.get(f"{base}{LISTED}")), _json(messages.get(f"{base}{INFO}"))
    if not isinstance(listed, list) or not isinstance(info, dict):
        yield unknown(ZIGBEE2MQTT, f"nothing is stored on {base}{LISTED} and {base}{INFO}", "does it run?")
        return
    names = {one.get("friendly_name") for one in listed if isinstance(one, dict)}
    for one in adopted:
        address = one.device.settings()["address"]
        if address not in names:
            text = f"it has no device {address!r}, which is {one.topics.client_id}: was it renamed, or paired anew?"
            yield bad(ZIGBEE2MQTT, text, f"set `address` in [{one.section}] of {one.file} to its name there")
    found = info.get("config")
    yield from _said(base, found if isinstance(found, dict) else {})


def _said(base: str, config: Mapping[str, object]) -> Iterator[Finding]:
    """Check that it says whether devices are there, and when they were heard."""
    availability, advanced = config.get("availability"), config.get("advanced")
    is_on = availability is True or (isinstance(availability, dict) and availability.get("enabled") is not False)
    last_seen = advanced.get("last_seen", "disable") if isinstance(advanced, dict) else "disable"
    if not is_on:
        yield unknown(ZIGBEE2MQTT, f"{base} has its `availability` off, {LOST}", "availability: enabled: true there")
    if last_seen == "disable":
        yield unknown(ZIGBEE2MQTT, f"{base} has its `last_seen` off, {LATE}", "advanced: last_seen: ISO_8601 there")
    if is_on and last_seen != "disable":
        yield good(ZIGBEE2MQTT, f"{base} says whether devices are there, and when they were heard")


def _json(payload: bytes | None) -> object:
    try:
        return json.loads(payload or b"")
    except (ValueError, RecursionError):
        return None
