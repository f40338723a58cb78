"""Kinds at an input of a converter, a power monitor or a load cell's converter."""

from math import exp
from pathlib import Path

import pytest

from bootstrap.errors import Refused
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.runtime.measure_health import GONE
from daemons.adc import Adc
from daemons.power import Power
from daemons.soil import Soil
from daemons.sysfs import SysfsDevice
from daemons.thermistor import Thermistor
from daemons.weight import Weight
from daemons.wind_vane import WindVane
from penates.testing import Bench
from support.kernel_files import KernelFiles, values

EMPTY = 8_388_608  # of a load cell's converter: the middle of its range


@pytest.fixture
def files(tmp_path: Path) -> KernelFiles:
    return KernelFiles(tmp_path / "sys")


def ads1115(files: KernelFiles, raw: str) -> Path:
    """An ADS1115 at a gain of 1, at which each step is 0.125 mV."""
    return files.iio("ads1015", "1-0048", in_voltage0_raw=raw, in_voltage0_scale="0.125000000")


def test_a_voltage_a_level_and_a_value_by_a_table(files: KernelFiles) -> None:
    folder = ads1115(files, "13200")
    assert values(Adc(sysfs=files.root)) == {"voltage": 1.65, "level": 50.0}
    tank = Adc(sysfs=files.root, table=[[3.0, 0], [0.6, 100], [1.5, 10]], unit="L", full_v=3.0)
    assert tank.measures["value"].unit == "L"
    assert values(tank) == {"voltage": 1.65, "level": 55.0, "value": 9.0}
    files.write(folder / "in_voltage0_raw", "4000")
    assert values(tank) == {"voltage": 0.5, "level": 16.67}  # outside of the table
    files.write(folder / "in_voltage0_raw", "-160")
    assert values(tank) == {"voltage": -0.02, "level": 0.0}  # noise


@pytest.mark.parametrize("raw", ["32767", "-32768"])
def test_a_converter_at_its_end_has_no_value(files: KernelFiles, raw: str) -> None:
    ads1115(files, raw)
    with pytest.raises(ValueError, match=r"ADS1115: .*in_voltage0_raw holds -?3276.*, an end of the range"):
        Adc(sysfs=files.root).read()


def test_a_converter_whose_end_is_its_supply_has_one(files: KernelFiles) -> None:
    files.iio("mcp3008", "spi0.0", in_voltage7_raw="1023", in_voltage_scale="3.225806451")
    assert values(Adc(chip=Chip("MCP3008"), channel=7, sysfs=files.root)) == {"voltage": 3.3, "level": 100.0}


def test_a_converter_of_hwmon_and_one_that_is_called_by_its_address(files: KernelFiles) -> None:
    files.hwmon("ads7830", "1-004b", in2_input="1650")
    folder = files.iio("1-0068", "1-0068", in_voltage1_raw="-32767", in_voltage1_scale="0.000062500")
    files.write(folder.resolve().parent / "name", "mcp3422")
    assert values(Adc(chip=Chip("ADS7830 at 0x4b"), channel=2, sysfs=files.root))["voltage"] == 1.65
    assert values(Adc(chip=Chip("MCP3422"), channel=1, sysfs=files.root)) == {"voltage": -2.0479375}


@pytest.mark.parametrize("raw", [end for top in (2047, 8191, 32767, 131071) for end in (top, -top - 1)])
def test_a_voltage_beyond_an_mcp3422_is_none_at_each_resolution(files: KernelFiles, raw: int) -> None:
    files.iio("mcp3422", "1-0068", in_voltage0_raw=str(raw), in_voltage0_scale=f"{2.048 / 2048:.9f}")
    with pytest.raises(ValueError, match=r"MCP3422: .* an end of the range"):
        Adc(chip=Chip("MCP3422"), sysfs=files.root).read()


@pytest.mark.parametrize("kind", [Adc, Soil])
def test_a_voltage_beyond_the_reference_of_an_ads7830_is_none(files: KernelFiles, kind: type[Adc | Soil]) -> None:
    chip = files.hwmon("ads7830", "1-0048", in0_input="2490")
    device = kind(chip=Chip("ADS7830"), sysfs=files.root)
    with pytest.raises(ValueError, match=r"ADS7830: .* holds 2490, an end of the range"):
        device.read()
    files.write(chip / "in0_input", "2188")
    assert values(device)


@pytest.mark.parametrize("kind", [Thermistor, WindVane])
@pytest.mark.parametrize("part", ["MCP3422", "MCP3424", "ADS7830"])
def test_a_converter_that_cannot_tell_a_cut_wire_is_none_for_a_divider(
    kind: type[Thermistor | WindVane], part: str
) -> None:
    with pytest.raises(ValueError, match=rf"'chip' must measure up to 'supply_v', 3.3 V.* a {part} measures up to 2"):
        kind(chip=Chip(part))
    assert kind(chip=Chip(part), supply_v=2.0).measures


def test_an_input_that_is_not_there(files: KernelFiles) -> None:
    ads1115(files, "0")
    with pytest.raises(OSError, match=r"ADS1115: .*in_voltage7_input is not there"):
        Adc(channel=7, sysfs=files.root).read()


def test_a_converter_that_is_not_there_is_absent(files: KernelFiles) -> None:
    with pytest.raises(OSError, match=r"^ADS1115: no driver of the kernel offers a ads1115") as caught:
        Adc(sysfs=files.root).read()
    assert caught.value.errno in GONE


@pytest.mark.parametrize("table", [[[1, 2]], [[1, 2], [1, 3]], [[1, 2, 3], [4, 5, 6]], [[1], [2]]])
def test_what_is_no_table(table: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="'table' must have two or more pairs of volts and a value"):
        Adc(table=table)


def test_ends_must_differ() -> None:
    with pytest.raises(ValueError, match="'zero_v' and 'full_v' must differ"):
        Adc(zero_v=1, full_v=1)


@pytest.mark.parametrize(
    ("raw", "moisture"), [("17600", 0.0), ("8000", 100.0), ("12800", 50.0), ("17700", 0.0), ("7900", 100.0)]
)
def test_soil_from_dry_to_wet(files: KernelFiles, raw: str, moisture: float) -> None:
    ads1115(files, raw)
    assert values(Soil(sysfs=files.root)) == {"moisture": moisture}


@pytest.mark.parametrize("raw", ["0", "26400"])
def test_a_soil_sensor_that_is_unplugged_has_no_moisture(files: KernelFiles, raw: str) -> None:
    ads1115(files, raw)
    with pytest.raises(ValueError, match=r"V is not between 2.2 V and 1 V: check the wire"):
        Soil(sysfs=files.root).read()


@pytest.mark.parametrize("celsius", [-40.0, -0.5, 0.0, 25.0, 60.0, 125.0])
def test_a_thermistor_by_its_own_equation(files: KernelFiles, celsius: float) -> None:
    ohms = 10_000 * exp(3950 * (1 / (celsius + 273.15) - 1 / 298.15))
    ads1115(files, str(round(3.3 * ohms / (ohms + 10_000) / 0.000125)))
    assert values(Thermistor(sysfs=files.root)) == {"temperature": pytest.approx(celsius, abs=0.1)}


@pytest.mark.parametrize(("raw", "why"), [("10", "a short circuit"), ("26390", "a cut wire")])
def test_a_thermistor_that_is_cut_or_shorted(files: KernelFiles, raw: str, why: str) -> None:
    ads1115(files, raw)
    with pytest.raises(ValueError, match=f"ADS1115: .* V: there is {why}"):
        Thermistor(sysfs=files.root).read()


def test_a_vane_in_all_directions(files: KernelFiles) -> None:
    """The voltages of the manufacturer's table, which is for 5 V."""
    table = (3.84, 1.98, 2.25, 0.41, 0.45, 0.32, 0.90, 0.62, 1.40, 1.19, 3.08, 2.93, 4.62, 4.04, 4.33, 3.43)
    folder, found = ads1115(files, "0"), []
    vane = WindVane(sysfs=files.root)
    for volts in table:
        files.write(folder / "in_voltage0_raw", str(round(volts * 3.3 / 5 / 0.000125)))
        found.append(values(vane)["direction"])
    assert found == [step * 22.5 for step in range(16)]
    turned = WindVane(sysfs=files.root, north=350)
    assert values(turned) == {"direction": (337.5 + 350) % 360}


def test_a_vane_with_a_voltage_of_no_direction(files: KernelFiles) -> None:
    ads1115(files, str(round(0.52 * 3.3 / 0.000125)))
    with pytest.raises(ValueError, match="are those of no direction"):
        WindVane(sysfs=files.root).read()


def test_power_by_hwmon_with_a_shunt_other_than_the_driver_s(files: KernelFiles) -> None:
    files.hwmon(
        "ina219",
        "1-0040",
        in0_input="50",
        in1_input="12000",
        curr1_input="5000",
        power1_input="60000000",
        shunt_resistor="10000",
    )
    with Bench(Power(sysfs=files.root)) as bench:
        assert bench.read() == {"voltage": 12.0, "current": 0.5, "power": 6.0, "energy": 0.0}
    with Bench(Power(sysfs=files.root, shunt=0.01)) as bench:
        assert bench.read() == {"voltage": 12.0, "current": 5.0, "power": 60.0, "energy": 0.0}


def test_power_of_an_input_and_by_iio(files: KernelFiles) -> None:
    files.hwmon("ina3221", "1-0041", in3_input="5000", curr3_input="-200", shunt3_resistor="100000")
    files.iio(
        "ina226",
        "1-0040",
        in_voltage1_raw="9600",
        in_voltage1_scale="1.250000",
        in_current3_raw="1000",
        in_current3_scale="1.000000",
        in_shunt_resistor="0.010000",
    )
    with Bench(Power(chip=Chip("INA3221 at 0x41"), channel=3, sysfs=files.root)) as bench:
        assert bench.read() == {"voltage": 5.0, "current": -0.2, "power": -1.0, "energy": 0.0}
    with Bench(Power(chip=Chip("INA226"), shunt=0.1, sysfs=files.root)) as bench:
        assert bench.read() == {"voltage": 12.0, "current": 0.1, "power": 1.2, "energy": 0.0}


def test_a_driver_that_does_not_tell_its_shunt_has_that_of_the_device_tree_or_the_usual_one(files: KernelFiles) -> None:
    folder = files.hwmon("ina238", "1-0040", in1_input="12000", curr1_input="1000")
    device = Power(chip=Chip("INA238"), shunt=0.02, sysfs=files.root)
    assert values(device)["current"] == 0.5
    node = folder.resolve().parent.parent / "of_node" / "shunt-resistor"
    node.parent.mkdir()
    node.write_bytes((40_000).to_bytes(4, "big"))
    assert values(device)["current"] == 2.0


@pytest.mark.parametrize(
    ("part", "hwmon", "believed"),
    [("INA219", True, True), ("INA219", False, False), ("INA226", False, False), ("INA238", True, False)],
)
def test_a_current_without_its_calibration_is_none(files: KernelFiles, part: str, hwmon: bool, believed: bool) -> None:
    volts, amperes = ("in1_input", "curr1_input") if hwmon else ("in_voltage1_raw", "in_current3_raw")
    chip = (files.hwmon if hwmon else files.iio)(part.lower(), "1-0040", **{volts: "12000", amperes: "1000"})
    device = Power(chip=Chip(part), shunt=0.01, sysfs=files.root)
    assert values(device)["current"] == 1.0
    files.fail(chip / amperes)
    device.read()
    (chip / amperes).rmdir()
    files.write(chip / amperes, "0")
    assert values(device) == ({"voltage": 12.0, "current": 0.0, "power": 0.0} if believed else {})


@pytest.mark.parametrize(("assumed_ohm", "millivolts"), [(0.01, 1.4), (0.01, 20), (0.0025, 0.6), (0.0025, 20)])
def test_an_ina238_s_driver_assumes_another_shunt_by_its_kernel(
    files: KernelFiles, assumed_ohm: float, millivolts: float
) -> None:
    said = {"in0_input": f"{millivolts:.0f}", "curr1_input": f"{millivolts / assumed_ohm:.0f}"}
    chip = files.hwmon("ina238", "1-0040", in1_input="12000", **said)
    device = Power(chip=Chip("INA238"), shunt=0.015, sysfs=files.root)
    assert values(device)["current"] == pytest.approx(millivolts / 15, abs=1e-3)
    files.write(chip / "in0_input", "0")
    files.write(chip / "curr1_input", f"{0.3 / assumed_ohm:.0f}")
    assert values(device)["current"] == pytest.approx(0.02, abs=1e-3)
    anew = Power(chip=Chip("INA238"), shunt=0.015, sysfs=files.root)
    assert values(anew) == {"voltage": 12.0}
    assert "by its property shunt-resistor" in anew.check(anew.read())["current"]
    files.write(chip / "curr1_input", "0")
    assert values(anew)["current"] == 0.0
    files.write(chip / "shunt_resistor", "30000")
    files.write(chip / "curr1_input", "10")
    assert values(anew)["current"] == 0.02


def test_energy_adds_up_and_is_kept(files: KernelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("bootstrap.kernel_sensors.power_sensor.monotonic", lambda: now)
    folder = files.hwmon("ina219", "1-0040", in1_input="24000", curr1_input="2500", shunt_resistor="100000")
    with Bench(Power(sysfs=files.root), tmp_path / "kept") as bench:
        bench.read()
        now += 60
        assert bench.read()["energy"] == 1.0  # 60 W for a minute
        files.write(folder / "curr1_input", "-2500")
        now += 60
        assert bench.read()["energy"] == 1.0  # what flows back is not counted
        files.write(folder / "curr1_input", "2500")
        now += 181
        assert bench.read()["energy"] == 1.0  # nobody knows what flowed in three minutes
        files.fail(folder / "curr1_input")
        with pytest.raises(AssertionError, match=r"INA219: .*curr1_input: Is a directory"):
            bench.read()
    (folder / "curr1_input").rmdir()
    files.write(folder / "curr1_input", "2500")
    with Bench(Power(sysfs=files.root), tmp_path / "kept") as bench:
        assert bench.read()["energy"] == 1.0
        now += 6
        assert bench.read()["energy"] == 1.1


@pytest.mark.parametrize(
    ("amperes", "refused"), [("3199", False), ("-3199", False), ("3200", True), ("-3200", True), ("3201", True)]
)
def test_a_current_beyond_the_shunt_s_range_is_none(files: KernelFiles, amperes: str, refused: bool) -> None:
    files.hwmon("ina219", "1-0040", in1_input="26000", curr1_input=amperes, shunt_resistor="100000")
    device = Power(sysfs=files.root)
    assert {*device.check(device.read())} == ({"current", "power"} if refused else set())


def test_weight_with_its_zero_and_scale(files: KernelFiles) -> None:
    folder = files.iio("hx711", "hx711", in_voltage0_raw=str(EMPTY + 250_000), in_voltage_scale="0.000061")
    with Bench(Weight(sysfs=files.root)) as bench:
        assert bench.read() == {"raw": EMPTY + 250_000, "weight": 250.0}
    with Bench(Weight(sysfs=files.root, tare=EMPTY + 250_000, scale=-2e6, unit="kg")) as bench:
        assert bench.read()["weight"] == 0.0
        files.write(folder / "in_voltage0_raw", "1")
        assert bench.read()["weight"] == 4.319


def test_a_tare_is_kept_until_another_one_is_set_in_the_file(files: KernelFiles, tmp_path: Path) -> None:
    files.iio("hx711", "hx711", in_voltage0_raw=str(EMPTY + 100_000))
    with Bench(Weight(sysfs=files.root), tmp_path / "kept") as bench:
        bench.act("tare", "now")
        bench.until(lambda: bench.readings)
        assert bench.readings[-1]["weight"] == 0.0
        with pytest.raises(Refused, match="send one of now"):
            bench.act("tare", 5)
    with Bench(Weight(sysfs=files.root), tmp_path / "kept") as bench:
        assert bench.read()["weight"] == 0.0
    with Bench(Weight(sysfs=files.root, tare=EMPTY), tmp_path / "kept") as bench:
        assert bench.read()["weight"] == 0.0
    with Bench(Weight(sysfs=files.root, tare=EMPTY + 50_000), tmp_path / "kept") as bench:
        assert bench.read()["weight"] == 50.0


@pytest.mark.parametrize(
    ("part", "amperes"), [("INA226", "8191"), ("INA226", "8192"), ("INA238", "16384"), ("INA3221", "16380")]
)
def test_a_current_at_the_last_step_of_a_shunt_is_none(files: KernelFiles, part: str, amperes: str) -> None:
    files.hwmon(part.lower(), "1-0040", in1_input="12000", curr1_input=amperes)
    device = Power(chip=Chip(part), shunt=0.01, sysfs=files.root)
    assert values(device) == {"voltage": 12.0}
    assert "an end of the range at this shunt" in device.check(device.read())["current"]


@pytest.mark.parametrize("raw", ["0", "16777215", "8388608", "8388607"])  # its ends, and without a chip
def test_a_load_cell_at_its_end_or_without_a_chip_has_no_weight(files: KernelFiles, raw: str) -> None:
    files.iio("hx711", "hx711", in_voltage0_raw=raw)
    device = Weight(sysfs=files.root)
    assert {*device.check(device.complete(device.read()))} == {"raw", "weight"}


def test_a_scale_of_nothing() -> None:
    with pytest.raises(ValueError, match="'scale' must not be 0"):
        Weight(scale=0)


def test_any_channel_of_any_device(files: KernelFiles) -> None:
    files.iio("ccs811", "1-005b", in_concentration_co2_raw="400", in_concentration_co2_scale="0.0001", in_temp_raw="x")
    files.counter("interrupt-cnt", "counter@0", **{"count0/count": "4711"})
    air = SysfsDevice(name="ccs811", channels=["concentration_co2", "temp"], sysfs=files.root)
    assert {name: (one.unit, one.low) for name, one in air.measures.items()} == {
        "concentration_co2": ("ppm", 0),
        "temp": ("°C", -273.15),
    }
    assert values(air) == {"concentration_co2": 400.0}
    assert values(SysfsDevice(name="interrupt-cnt", channels=["count0"], sysfs=files.root)) == {"count0": 4711.0}
    with pytest.raises(OSError, match="no ccs811 at 0x5a; there is ccs811 at 0x5b"):
        SysfsDevice(name="ccs811", at="0x5a", channels=["temp"], sysfs=files.root).read()


@pytest.mark.parametrize("channel", ["in voltage0", "a/b", "time", "../name"])
def test_a_channel_that_cannot_be_a_measure(channel: str) -> None:
    with pytest.raises(ValueError, match=r"'channels' must be names of"):
        SysfsDevice(name="x", channels=[channel])


def test_sensors_of_one_chip_take_turns(files: KernelFiles) -> None:
    """A read locks the chip's own folder, in whichever process it runs."""
    folder = ads1115(files, "13200")
    assert Soil(sysfs=files.root).bus == WindVane(sysfs=files.root).bus == folder.resolve()


def test_a_channel_is_in_the_kernel_s_unit_though_its_driver_is_not(files: KernelFiles) -> None:
    """The driver of an MCP3422 says volts, that of a BME680 per cent, and both should say thousandths."""
    adc = files.iio("1-0068", "1-0068", in_voltage0_raw="1000", in_voltage0_scale="0.001000000")
    files.write(adc.resolve().parent / "name", "mcp3422")
    files.iio("bme680", "1-0076", in_humidityrelative_input="44.999", in_temp_input="25000")
    files.iio("bme280", "1-0077", in_humidityrelative_input="44999")
    for name, found in (
        ("mcp3422", {"voltage0": 1.0}),
        ("bme680", {"humidityrelative": 44.999, "temp": 25.0}),
        ("bme280", {"humidityrelative": 44.999}),
    ):
        assert values(SysfsDevice(name=name, channels=[*found], sysfs=files.root)) == found
