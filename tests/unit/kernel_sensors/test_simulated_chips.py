"""The simulated chips of tests/pi: they hold what data sheets say, and stand behind every part that claims them."""

import pytest

from bootstrap.config import kinds
from bootstrap.kernel_sensors.adc_sensor import CONVERTERS
from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.proof import KERNEL_DRIVER
from penates.parts import parts
from pi import chip_registers
from pi.chip_cases import CASES, Case
from pi.chip_sheets import CHIPS


@pytest.mark.parametrize(
    ("data", "begin", "checksum"),
    [(b"\xbe\xef", 0xFF, 0x92), (b"\xdc", 0, 0x79), (b"\x68\x3a", 0, 0x7C), (b"\x4e\x85", 0, 0x6B)],
)
def test_checksums_of_data_sheets(data: bytes, begin: int, checksum: int) -> None:
    """SHT3x, 4.12; HTU21D, "CRC Checksum"."""
    assert chip_registers.crc8(data, begin) == checksum


def test_the_worked_example_of_a_data_sheet() -> None:
    """BMP280, 3.12."""
    fine = chip_registers.fine_temperature(519888)
    assert fine / 5120 == pytest.approx(25.08, abs=0.005)
    assert chip_registers.bosch_pressure(415148, fine) == pytest.approx(100653.27, abs=0.05)


@pytest.mark.parametrize(
    ("hold", "values", "registers"),
    [
        (chip_registers.tmp117, (-0.0078125,), {0x00: b"\xff\xff"}),  # data sheet TMP117, table 7-1
        (chip_registers.lm75, (-25.0,), {0x00: b"\xe7\x00"}),
        (chip_registers.mcp9808, (-0.0625,), {0x05: b"\x1f\xff"}),
        (chip_registers.opt3001, (88.8,), {0x00: b"\x28\xac"}),
        (chip_registers.ads1115, (9.0,), {0x00: b"\x7f\xff"}),
        (chip_registers.ina219, (12.0, 0.0), {0x01: bytes(2), 0x02: b"\x5d\xc2", 0x04: bytes(2)}),
    ],
)
def test_registers(hold: chip_registers.Hold, values: tuple[float, ...], registers: chip_registers.Registers) -> None:
    assert hold(*values) == registers


def stands_behind(case: Case, part: str) -> bool:
    """Return whether a case is of this part, of one that its driver cannot tell from it, or of its converter."""
    own_part = case.part in kinds.find(case.kind, None).parts
    by_converter = case.part in CONVERTERS and part not in CATALOG
    return not own_part or by_converter or case.part == part or CATALOG.get(part) is CATALOG.get(case.part)


def test_a_part_that_claims_the_kernel_s_driver_has_its_case() -> None:
    for served in parts():
        if served.proof == KERNEL_DRIVER:
            assert any(case.kind == served.kind and stands_behind(case, served.part) for case in CASES), served


def test_every_case_is_of_a_chip_and_a_kind() -> None:
    for case in CASES:
        assert case.part in CHIPS
        assert case.part in CATALOG or case.found_by or case.kind == "thermometer"
        measures = {*kinds.find(case.kind, None).measures}
        assert case.found_by or {*case.good.published} <= measures
