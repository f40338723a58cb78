"""What is found on a machine whose sys and dev are folders of ours."""

import ctypes
import errno
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from bootstrap.display.bus_port import SimulatedBus
from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.kernel_sensors.chip import Chip
from penates.scan.i2c_buses import FOR_SENSORS, STUCK
from penates.scan.i2c_probe import CAN_QUICK, CAN_READ_BYTE, MOST_TIMEOUTS, SMBUS
from penates.scan.lines import chip_with
from penates.scan.machine_scan import ScannedMachine, look
from penates.scan.part_offers import addresses, at_address
from penates.scan.ports import IN_USE
from support.kernel_files import KernelFiles
from support.plugged import Plugged
from support.world import House

SERIAL, OTHER = "28-0316a2795fff", "28-0316a2795ffe"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with two probes, a chip that two subsystems offer, and a fan."""
    files = KernelFiles(tmp_path / "machine/sys")
    files.one_wire(SERIAL, "21500")
    files.one_wire(OTHER, "4000")
    files.one_wire("00-400000000000", "")
    files.iio("ads1015", "1-0049", in_voltage0_raw="7")
    files.hwmon("ads1015", "1-0049", in0_input="7")
    files.iio("bme280", "1-0077", in_temp_input="21000")
    files.hwmon("pwmfan", "cooling_fan", fan1_input="900")
    return tmp_path / "machine"


def offered(scanned: ScannedMachine) -> dict[str, list[str]]:
    return {one.place: [offer.command() for offer in one.offers] for one, _adopted in scanned.found}


def test_each_device_is_found_once_with_the_command_that_adopts_it(root: Path) -> None:
    found, sysfs = offered(look(None, root)), root / "sys"
    assert found == {
        SERIAL: [f"penates new thermometer NAME serial={SERIAL} bus={sysfs}/bus/w1/devices"],
        OTHER: [f"penates new thermometer NAME serial={OTHER} bus={sysfs}/bus/w1/devices"],
        "00-400000000000": [],
        "0x49": [f"penates new adc NAME 'chip={part} at 0x49' sysfs={sysfs}" for part in ("ADS1115", "ADS1015")],
        "0x77": [f"penates new climate NAME 'chip=BME280 at 0x77' sysfs={sysfs}"],
        "cooling_fan": [f"""penates new sysfs NAME name=pwmfan 'channels=["fan1"]' sysfs={sysfs}"""],
    }


def test_only_what_can_be_nothing_else_is_certain(root: Path) -> None:
    certain = {one.place for one, _adopted in look(None, root).found if one.certain}
    assert certain == {SERIAL, OTHER, "0x77"}


def test_what_a_sensor_has_is_named_with_it(root: Path, house: House) -> None:
    house.write(1)
    sysfs = root / "sys"
    house.device("cellar", f'kind = "thermometer"\nserial = "{SERIAL}"\nbus = "{sysfs}/bus/w1/devices"\n')
    house.device("bath", f'kind = "climate"\nchip = "BME280 at 0x77"\nsysfs = "{sysfs}"\n')
    house.device("fan", f'kind = "sysfs"\nname = "pwmfan"\nchannels = ["fan1"]\nsysfs = "{sysfs}"\n')
    scanned = look(Configuration(house.folder), root)
    adopted = {one.place: sensor for one, sensor in scanned.found if sensor}
    assert adopted == {SERIAL: "cm/cellar", "0x77": "cm/bath", "cooling_fan": "cm/fan"}
    assert [one.place for one in scanned.free] == ["0x49", OTHER]


def test_a_gateway_that_reads_the_bus_is_to_carry_its_probes(root: Path, house: House) -> None:
    house.write(1)
    bus = root / "sys/bus/w1/devices"
    house.device("probes", f'kind = "one_wire"\nbus = "{bus}"\n[sensors.cellar]\nserial = "{SERIAL}"\n')
    scanned = look(Configuration(house.folder), root)
    assert {one.place: sensor for one, sensor in scanned.found if sensor} == {SERIAL: "cm/cellar"}
    assert offered(scanned)[OTHER] == [f"penates new NAME --from cm/probes --serial {OTHER}"]


def test_what_could_not_be_looked_at_is_said(tmp_path: Path) -> None:
    adapters = tmp_path / "sys/bus/i2c/devices"
    for number, name in ((0, "SMBus I801 adapter at efa0"), (1, "bcm2835 (i2c@7e804000)"), (2, "i915 gmbus dpb")):
        (adapters / f"i2c-{number}").mkdir(parents=True)
        (adapters / f"i2c-{number}/name").write_text(f"{name}\n")
    missed = {(one.area, one.place): one.why for one in look(None, tmp_path, buses=[2]).missed}
    assert "dtoverlay=w1-gpio" in missed["1-Wire", ""]
    assert "--bus 0" in missed["I2C", "i2c-0 (SMBus I801 adapter at efa0)"]
    assert missed["I2C", "i2c-1 (bcm2835 (i2c@7e804000))"] == "there is no /dev/i2c-1: sudo modprobe i2c-dev"
    assert missed["I2C", "i2c-2 (i915 gmbus dpb)"] == "there is no /dev/i2c-2: sudo modprobe i2c-dev"


@pytest.mark.parametrize(
    ("adapter", "asked"),
    [
        ("bcm2835 (i2c@7e804000)", True),
        ("bcm2835 (i2c@7e205600)", True),
        ("Synopsys DesignWare I2C adapter", True),
        ("i2c-1-mux (chan_id 5)", True),
        ("i2c-22-mux (chan_id 0)", True),
        ("i2c-22-mux (chan_id 1)", False),
        ("bcm2835 (i2c@7e805000)", False),
        ("fef04500.i2c", False),
        ("SMBus PIIX4 adapter port 0 at 0b00", False),
        ("NVIDIA i2c adapter 1 at 1:00.0", False),
    ],
)
def test_only_buses_for_sensors_are_asked(adapter: str, *, asked: bool) -> None:
    assert bool(FOR_SENSORS.search(adapter)) is asked


def test_a_bus_that_cannot_be_asked_costs_nothing_else(root: Path) -> None:
    (root / "sys/bus/i2c/devices/i2c-1").mkdir(parents=True)
    (root / "sys/bus/i2c/devices/i2c-1/name").write_text("bcm2835 (i2c@7e804000)\n")
    held = root / "sys/bus/i2c/devices/1-0068"
    (held / "driver").mkdir(parents=True)
    (held / "name").write_text("ds3231\n")
    (root / "dev").mkdir()
    (root / "dev/i2c-1").touch()
    scanned = look(None, root)
    missed = [one.why for one in scanned.missed if one.place.startswith("i2c-1")]
    assert missed == ["Inappropriate ioctl for device"]
    (chip,) = (one for one, _adopted in scanned.found if one.place == "0x68")
    assert (chip.what, chip.note, chip.offers) == ("ds3231", "its driver is driver", ())


def test_a_bus_whose_line_is_held_low_is_left_after_some_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sys/bus/i2c/devices/i2c-1").mkdir(parents=True)
    (tmp_path / "sys/bus/i2c/devices/i2c-1/name").write_text("bcm2835 (i2c@7e804000)\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/i2c-1").touch()
    asked = []

    def ioctl(_descriptor: int, request: int, argument: object) -> int:
        if isinstance(argument, ctypes.c_ulong):
            argument.value = CAN_QUICK | CAN_READ_BYTE
        if request == SMBUS:
            asked.append(argument)
            raise OSError(errno.ETIMEDOUT, "Connection timed out")
        return 0

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    missed = [one.why for one in look(None, tmp_path).missed if one.place.startswith("i2c-1")]
    assert (missed, len(asked)) == ([STUCK], MOST_TIMEOUTS)


def test_who_answers_on_i2c_has_every_part_that_can_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "simulated")
    monkeypatch.setenv("PENATES_LINES", str(tmp_path / "lines"))
    SimulatedBus(1, tmp_path / "lines").plug(0x27)
    SimulatedBus(3, tmp_path / "lines").plug(0x76)
    found = offered(look(None, tmp_path))
    assert found["0x27"] == ["penates new lcd NAME address=0x27"]
    assert found["0x76 on i2c-3"][0] == "penates new climate NAME 'chip=BME280 at 0x76 on i2c-3'"
    assert "penates new gas NAME 'chip=BME680 at 0x76 on i2c-3'" in found["0x76 on i2c-3"]


def test_each_part_is_offered_at_each_of_its_addresses() -> None:
    for part in (part for part, sheet in CATALOG.items() if sheet.place.startswith("0x")):
        assert int(CATALOG[part].place, 16) in addresses(part), part
        for address in addresses(part):
            assert Chip(f"{part} at {address:#04x}").part == part
            alike = [CATALOG[offer.part] for offer in at_address(address, 1) if offer.part in CATALOG]
            assert CATALOG[part] in alike, part


def test_serial_ports_and_sticks(tmp_path: Path, house: House) -> None:
    by_id, sticks = tmp_path / "dev/serial/by-id", tmp_path / "sys/bus/usb/devices"
    by_id.mkdir(parents=True)
    names = ("usb-u-blox_AG_GNSS-if00", "usb-ITead_Sonoff_Zigbee_3.0-if00", "usb-FTDI_FT232R-if00-port0")
    plugged = [Plugged(by_id, name) for name in names]
    for number, serial in enumerate(("00000001", "cabin")):
        (sticks / f"1-{number}").mkdir(parents=True)
        for name, value in {"idVendor": "0bda", "idProduct": "2838", "serial": serial}.items():
            (sticks / f"1-{number}" / name).write_text(f"{value}\n")
    house.write(1)
    house.device("meter", f'kind = "smartmeter"\nport = "{by_id / names[2]}"\n')
    house.device("ears", 'kind = "radio"\ninput = ":cabin"\n')
    scanned = look(Configuration(house.folder), tmp_path)
    found = offered(scanned)
    for one in plugged:
        one.close()
    assert found[str(by_id / names[0])] == [f"penates new gps NAME port={by_id / names[0]}"]
    assert found[str(by_id / names[1])] == []
    assert (found["USB 1-0"], found["USB 1-1"]) == (
        ["penates new radio NAME input=0"],
        ["penates new radio NAME input=:cabin"],
    )
    adopted = {one.place: sensor for one, sensor in scanned.found if sensor}
    assert adopted == {str(by_id / names[2]): "cm/meter", "USB 1-1": "cm/ears"}


def test_a_stick_that_a_program_uses_is_not_adopted_unasked(tmp_path: Path) -> None:
    stick = tmp_path / "sys/bus/usb/devices/1-1"
    stick.mkdir(parents=True)
    (stick / "idVendor").write_text("0bda\n")
    (stick / "idProduct").write_text("2838\n")
    (free,) = (one for one in look(None, tmp_path).free if one.area == "radio")
    (tmp_path / "sys/bus/usb/drivers/usbfs/1-1:1.0").mkdir(parents=True)
    (used,) = (one for one in look(None, tmp_path).free if one.area == "radio")
    assert [(one.certain, one.note) for one in (free, used)] == [(True, ""), (False, IN_USE)]


def test_the_lines_of_the_header_are_told_with_who_has_them() -> None:
    used = [(4, "onewire@4"), (17, ""), (27, "cm:lamp")]
    chip = chip_with("gpiochip0", "pinctrl-bcm2711", 58, used, header=True)
    assert "GPIO4: onewire@4, GPIO17: the kernel, GPIO27: cm:lamp" in chip.note
    assert [offer.command("it") for offer in chip.offers] == ["penates new door it pin=26"]
    other = chip_with("gpiochip1", "pcf8574", 8, [(0, "cm:lamp")], header=False)
    assert (other.offers, other.note) == ((), "in use: 0: cm:lamp")


def test_a_chip_select_and_a_transmitter_are_places_and_no_devices(tmp_path: Path) -> None:
    for name, driver in (("spi0.0", "spidev"), ("spi0.1", "max31855")):
        folder = tmp_path / "sys/bus/spi/devices" / name
        folder.mkdir(parents=True)
        (tmp_path / driver).mkdir()
        (folder / "driver").symlink_to(tmp_path / driver)
    uevent = tmp_path / "sys/class/lirc/lirc0/device/uevent"
    uevent.parent.mkdir(parents=True)
    uevent.write_text("DRV_NAME=gpio-ir-tx\nDEV_NAME=ir\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/lirc0").touch()
    scanned = look(None, tmp_path)
    assert [one.place for one, _adopted in scanned.found if not one.present] == ["spi0.0", f"{tmp_path}/dev/lirc0"]
    found = offered(scanned)
    assert "penates new thermocouple NAME chip=MAX31855" in found["spi0.0"]
    assert found[f"{tmp_path}/dev/lirc0"] == [f"penates new socket NAME pin={tmp_path}/dev/lirc0"]
