"""Devices that drivers of the kernel offer: found by name, read in the units that are published."""

import errno
import os
from pathlib import Path

import pytest

from bootstrap.kernel_sensors.attribute import number
from bootstrap.kernel_sensors.kernel_device import devices, find
from bootstrap.sysfs import millis
from support.kernel_files import KernelFiles


@pytest.fixture
def files(tmp_path: Path) -> KernelFiles:
    return KernelFiles(tmp_path)


def test_a_device_is_found_by_its_name_whatever_its_number(files: KernelFiles) -> None:
    files.iio("ads1015", "1-0048", in_voltage0_raw="1")
    files.iio("bme280", "1-0076", in_temp_input="-500")
    files.hwmon("cpu_thermal", "thermal", temp1_input="48312")
    files.iio("dht11@4", "dht11@4", in_temp_input="1")
    assert find(files.root, ("bmp280", "bme280")).value("temp") == -0.5
    assert find(files.root, ("cpu_thermal",)).value("temp1") == 48.312
    assert find(files.root, ("dht11",)).name == "dht11@4"


def test_two_of_one_name_are_told_apart_by_their_place(files: KernelFiles) -> None:
    for place in ("1-0048", "1-0049", "spi0.0", "spi0.1"):
        files.iio("ads1115" if place.startswith("1") else "max6675", place, in_temp_raw=place[-1])
    assert find(files.root, ("ads1115",), "1-0049").raw("temp") == 9
    assert find(files.root, ("max6675",), "spi0.1").raw("temp") == 1
    with pytest.raises(OSError, match=r"there are several ads1115: ads1115 at 0x48, ads1115 at 0x49; say which"):
        find(files.root, ("ads1115",))
    with pytest.raises(FileNotFoundError, match=r"no ads1115 at 1-0050; there is ads1115 at 0x48, ads1115 at 0x49"):
        find(files.root, ("ads1115",), "1-0050")


def test_a_place_is_an_address_a_chip_select_or_a_line(files: KernelFiles) -> None:
    files.iio("bme280", "1-0076", in_temp_raw="76")
    files.iio("bme280", "1-0077", in_temp_raw="77")
    for line in (4, 17):
        node = files.iio("dht11@0", f"dht11@{line}", in_temp_raw=str(line)).resolve().parent / "of_node" / "gpios"
        node.parent.mkdir()
        node.write_bytes(bytes([0, 0, 0, 9, 0, 0, 0, line, 0, 0, 0, 0]))
    assert find(files.root, ("bme280",), "0x77").raw("temp") == 77
    assert find(files.root, ("dht11",), "GPIO17").raw("temp") == 17
    with pytest.raises(FileNotFoundError, match="no dht11 at GPIO5; there is dht11@0 at GPIO4, dht11@0 at GPIO17"):
        find(files.root, ("dht11",), "GPIO5")


def test_a_device_that_its_driver_calls_by_its_address_is_found_by_the_name_on_its_bus(files: KernelFiles) -> None:
    folder = files.iio("1-0068", "1-0068", in_voltage0_raw="7")
    files.write(folder.resolve().parent / "name", "mcp3422")
    assert find(files.root, ("mcp3422",), "0x68").raw("voltage0") == 7


def test_a_device_that_is_not_there(files: KernelFiles) -> None:
    with pytest.raises(FileNotFoundError, match=r"no driver of the kernel offers a bme280; they offer nothing"):
        find(files.root, ("bme280",))
    files.hwmon("sht3x", "1-0044")
    (files.root / "class/hwmon/hwmon9").symlink_to("gone")
    with pytest.raises(FileNotFoundError, match=r"offers a bme280; they offer sht3x at 0x44"):
        find(files.root, ("bme280",))


UNITS = [
    ("in_temp_input", "-40000", -40.0, "°C"),
    ("in_humidityrelative_input", "100000", 100.0, "%"),
    ("in_pressure_input", "101.325000000", 1013.25, "hPa"),
    ("in_illuminance_input", "54612.5", 54612.5, "lx"),
    ("in_current3_input", "-1250", -1.25, "A"),
    ("in_power2_input", "6500", 6.5, "W"),
    ("in_resistance_input", "12946860", 12946860.0, "Ω"),
    ("in_distance_input", "0.250", 0.25, "m"),
    ("in_concentration_co2_input", "0.0412", 412.0, "ppm"),
    ("in_massconcentration_pm2p5_input", "13.5", 13.5, "µg/m³"),
    ("in_rotations_input", "7", 7.0, "1"),
]


@pytest.mark.parametrize(("file", "text", "value", "unit"), UNITS)
def test_units_of_iio(files: KernelFiles, file: str, text: str, value: float, unit: str) -> None:
    channel = file.removeprefix("in_").removesuffix("_input")
    files.iio("chip", "1-0040", **{file: text})
    found = find(files.root, ("chip",))
    assert (found.value(channel), found.unit(channel).name, found.channels()) == (value, unit, [channel])


@pytest.mark.parametrize(
    ("file", "text", "value", "unit"),
    [
        ("temp1_input", "-40000", -40.0, "°C"),
        ("humidity1_input", "99900", 99.9, "%"),
        ("in1_input", "12040", 12.04, "V"),
        ("curr1_input", "-3", -0.003, "A"),
        ("power1_input", "2440000", 2.44, "W"),
        ("power1_average", "2440000", 2.44, "W"),
        ("fan1_input", "1200", 1200.0, "rpm"),
    ],
)
def test_units_of_hwmon(files: KernelFiles, file: str, text: str, value: float, unit: str) -> None:
    files.hwmon("ina219", "1-0040", **{file: text})
    found = find(files.root, ("ina219",))
    channel = file.partition("_")[0]
    assert (found.value(channel), found.unit(channel).name, found.channels()) == (value, unit, [channel])


def test_counters_and_one_wire(files: KernelFiles) -> None:
    files.counter("interrupt-cnt", "counter@0", **{"count0/count": "4711"})
    files.one_wire("28-0316a2795fff", "-12312")
    assert find(files.root, ("interrupt-cnt",)).value("count0") == 4711
    assert find(files.root, ("28-0316a2795fff",)).value("temperature") == -12.312
    assert [(one.name, one.channels()) for one in devices(files.root)] == [
        ("interrupt-cnt", ["count0"]),
        ("28-0316a2795fff", ["temperature"]),
    ]


def test_a_raw_number_is_scaled_by_its_own_its_type_s_or_the_device_s_scale(files: KernelFiles) -> None:
    folder = files.iio(
        "adc",
        "1-0048",
        **{
            "in_voltage0_raw": "16384",
            "in_voltage0_scale": "0.125000000",
            "in_voltage1_raw": "-8",
            "in_voltage_scale": "3.222656250",
            "in_voltage0-voltage1_raw": "100",
            "in_voltage-voltage_scale": "0.5",
            "in_temp_raw": "1000",
            "in_temp_offset": "-605.5",
            "in_temp_scale": "62.5",
            "in_proximity_raw": "3",
        },
    )
    found = find(files.root, ("adc",))
    assert found.value("voltage0") == 2.048
    assert found.value("voltage1") == -0.02578125
    assert found.value("voltage0-voltage1") == 0.05
    assert found.value("temp") == 24.65625
    assert found.value("proximity") == 3
    files.write(folder / "scale", "2")
    assert found.value("proximity") == 6


def test_the_first_channel_that_is_there_is_read(files: KernelFiles) -> None:
    files.hwmon("sht3x", "1-0044", temp1_input="0", humidity1_input="0")
    found = find(files.root, ("sht3x",))
    assert (found.value("temp", "temp1"), found.has("temp")) == (0.0, False)
    with pytest.raises(FileNotFoundError, match=r"in_pressure_input is not there|pressure_input is not there"):
        found.value("pressure")


@pytest.mark.parametrize("text", ["-0", "-0.000000", "0", "+0"])
def test_zero_has_no_sign(files: KernelFiles, text: str) -> None:
    files.iio("dht11@4", "dht11@4", in_temp_input=text)
    assert str(find(files.root, ("dht11",)).value("temp")) == "0.0"


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "did not answer: .* is empty"), ("hot", "holds 'hot', which is not"), ("nan", "'nan'"), ("\0\xff", "x00")],
)
def test_what_is_no_number_is_none(files: KernelFiles, text: str, why: str) -> None:
    folder = files.iio("bme280", "1-0076", in_temp_input=text)
    with pytest.raises(ValueError, match=why):
        find(files.root, ("bme280",)).value("temp")
    with pytest.raises(ValueError, match=why):
        number(folder / "in_temp_input")


def test_a_scale_that_cannot_be_read_fails_the_channel(files: KernelFiles) -> None:
    folder = files.iio("adc", "1-0048", in_voltage0_raw="5", in_voltage0_scale="")
    with pytest.raises(ValueError, match="in_voltage0_scale is empty"):
        find(files.root, ("adc",)).value("voltage0")
    files.fail(folder / "in_voltage0_scale")
    with pytest.raises(OSError, match="in_voltage0_scale: Is a directory"):
        find(files.root, ("adc",)).value("voltage0")


def test_a_file_that_is_gone_or_fails(files: KernelFiles) -> None:
    folder = files.iio("bme280", "1-0076", in_temp_input="1", in_pressure_input="2")
    found = find(files.root, ("bme280",))
    files.fail(folder / "in_temp_input")
    with pytest.raises(IsADirectoryError):
        found.value("temp")
    files.lose(folder / "in_pressure_input")
    with pytest.raises(FileNotFoundError, match="in_pressure_input is not there"):
        found.value("pressure")


def test_an_error_of_a_driver_says_what_it_means(files: KernelFiles) -> None:
    """The kernel's own file of a process's memory gives EIO for an address that is not mapped."""
    folder = files.iio("bme280", "1-0076")
    (folder / "in_temp_input").symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match="in_temp_input: it does not answer: check its wiring") as caught:
        find(files.root, ("bme280",)).value("temp")
    assert caught.value.errno == errno.EIO


def test_a_driver_without_a_value_yet(tmp_path: Path) -> None:
    """Reading it fails with EAGAIN, as a named pipe does into which nobody has written."""
    file = tmp_path / "temp1_input"
    os.mkfifo(file)
    writer = os.open(file, os.O_RDWR)
    try:
        for read in (number, millis):
            with pytest.raises(BlockingIOError):
                read(file)
    finally:
        os.close(writer)
