"""The registers of meters that many people have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.modbus.registers import Register
from bootstrap.needs import TextSetting

# PZEM-004T v3 and PZEM-016 user manuals, "Measurement result"; of 32 bits the low word is first.
PZEM: Sequence[str] = (
    "voltage = input 0 uint16 * 0.1 V",
    "current = input 1 uint32 CDAB * 0.001 A",
    "power = input 3 uint32 CDAB * 0.1 W",
    "energy = input 5 uint32 CDAB Wh counter",
    "frequency = input 7 uint16 * 0.1 Hz",
    "power_factor = input 8 uint16 * 0.01",
)
_PHASES = (1, 2, 3)
# Eastron "SDM120 Modbus protocol" and "SDM630 Modbus protocol", input registers.
BY_METER: Mapping[str, Sequence[str]] = {
    "sdm120": (
        "voltage = input 0x0000 float32 V",
        "current = input 0x0006 float32 A",
        "power = input 0x000C float32 W",
        "power_factor = input 0x001E float32",
        "frequency = input 0x0046 float32 Hz",
        "energy_in = input 0x0048 float32 kWh counter",
        "energy_out = input 0x004A float32 kWh counter",
    ),
    "sdm630": (
        *(f"voltage_l{phase} = input {2 * phase - 2:#06x} float32 V" for phase in _PHASES),
        *(f"current_l{phase} = input {2 * phase + 4:#06x} float32 A" for phase in _PHASES),
        *(f"power_l{phase} = input {2 * phase + 10:#06x} float32 W" for phase in _PHASES),
        "power = input 0x0034 float32 W",
        "power_factor = input 0x003E float32",
        "frequency = input 0x0046 float32 Hz",
        "energy_in = input 0x0048 float32 kWh counter",
        "energy_out = input 0x004A float32 kWh counter",
    ),
}


@dataclass(frozen=True)
class RegisterSetting(TextSetting):
    """A register, or the name of a meter whose registers are known. ValueError: it is neither."""

    def __post_init__(self) -> None:
        if self.text not in BY_METER:
            Register(self.text)


def registers_of(settings: Iterable[RegisterSetting]) -> list[Register]:
    """Return all registers that are meant."""
    return [Register(text) for one in settings for text in BY_METER.get(one.text, (one.text,))]
