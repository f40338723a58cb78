"""Kinds that read a chip by its driver: folders of the files that the drivers document stand for the kernel's."""

import time
from pathlib import Path
from typing import cast

import pytest

from bootstrap.device import Device
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_device import KernelDevice
from bootstrap.runtime.measure_health import GONE
from daemons.climate import Climate
from daemons.co2 import Co2
from daemons.distance import Distance
from daemons.gas import Gas
from daemons.light import Light
from daemons.pressure import Pressure
from daemons.thermocouple import Thermocouple
from support.kernel_files import KernelFiles, values


@pytest.fixture
def files(tmp_path: Path) -> KernelFiles:
    return KernelFiles(tmp_path)


def wrong(device: Device) -> dict[str, str]:
    return device.check(device.read())


def test_a_bme280_has_three_values_of_one_sample(files: KernelFiles) -> None:
    files.iio(
        "bme280",
        "1-0076",
        in_temp_input="21510",
        in_humidityrelative_input="48125",
        in_pressure_input="99.731921875",
    )
    bath = Climate(sysfs=files.root)
    assert values(bath) == {"temperature": 21.51, "humidity": 48.125, "pressure": 997.319219}


def test_measures_are_those_of_the_part_within_its_data_sheet(files: KernelFiles) -> None:
    files.hwmon("sht3x", "1-0044", temp1_input="-40000", humidity1_input="100000")
    shed = Climate(chip=Chip("SHT31"), sysfs=files.root)
    assert {name: (one.low, one.high) for name, one in shed.measures.items()} == {
        "temperature": (-40, 125),
        "humidity": (0, 100),
    }
    assert values(shed) == {"temperature": -40.0, "humidity": 100.0}
    assert [*Climate(chip=Chip("BMP280")).measures] == ["temperature", "pressure"]
    assert [*Climate(chip=Chip("MCP9808")).measures] == ["temperature"]


@pytest.mark.parametrize(
    ("part", "at", "temperature", "humidity", "read"),
    [
        ("DHT22", "dht11@0", "-40000", "99900", {"temperature": -40.0, "humidity": 99.9}),
        ("DHT22", "dht11@4", "-100", "0", {"temperature": -0.1, "humidity": 0.0}),
        ("DHT22", "dht11@4", "-0", "45300", {"temperature": 0.0, "humidity": 45.3}),
        ("DHT11", "dht11@4", "23000", "95000", {"temperature": 23.0, "humidity": 95.0}),
        ("DHT11", "dht11@4", "61000", "4000", {}),
    ],
)
def test_a_dht_negative_zero_and_at_its_edges(  # noqa: PLR0913, PLR0917
    files: KernelFiles, part: str, at: str, temperature: str, humidity: str, read: dict[str, float]
) -> None:
    files.iio(at, at, in_temp_input=temperature, in_humidityrelative_input=humidity)
    device = Climate(chip=Chip(part), sysfs=files.root)
    assert values(device) == read
    assert "-0.0" not in str(device.read())


def test_a_dht_is_tried_again_after_two_seconds(files: KernelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = files.iio("dht11@4", "dht11@4", in_humidityrelative_input="45000")
    temperature, pauses = folder / "in_temp_input", list[float]()
    temperature.symlink_to("/proc/self/mem")  # which gives EIO, as the driver does

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            temperature.unlink()
            files.write(temperature, "21000")

    monkeypatch.setattr(time, "sleep", pause)
    device = Climate(chip=Chip("DHT22"), sysfs=files.root)
    assert values(device) == {"temperature": 21.0, "humidity": 45.0}
    assert pauses == [2.0, 2.0]
    temperature.unlink()
    temperature.symlink_to("/proc/self/mem")
    assert values(device) == {}
    assert len(pauses) == 2 + 3
    assert wrong(device)["temperature"].startswith("DHT22: /")
    assert "it does not answer: check its wiring" in wrong(device)["temperature"]


def test_a_dht_that_fails_is_not_asked_for_the_next_value_before_two_seconds(
    files: KernelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its driver keeps a conversion for two seconds, and begins another one for each file after one that failed."""
    folder = files.iio("dht11@4", "dht11@4", in_humidityrelative_input="45000")
    (folder / "in_temp_input").symlink_to("/proc/self/mem")
    done, read = list[str](), KernelDevice.value

    def value(device: KernelDevice, *channels: str, ends: tuple[float, ...] = ()) -> float:
        done.append(channels[0])
        return read(device, *channels, ends=ends)

    monkeypatch.setattr(KernelDevice, "value", value)
    monkeypatch.setattr(time, "sleep", lambda seconds: done.append(f"{seconds:g} s"))
    assert wrong(Climate(chip=Chip("DHT22"), sysfs=files.root)).keys() == {"temperature", "humidity"}
    assert done == ["temp", "2 s", "temp", "2 s", "temp", "2 s", "temp"]


def test_a_part_that_seldom_fails_is_read_once(files: KernelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("it waited"))
    folder = files.hwmon("aht20", "1-0038", temp1_input="20000")
    files.fail(folder / "humidity1_input")
    device = Climate(chip=Chip("AHT20"), sysfs=files.root)
    assert (values(device), [*wrong(device)]) == ({"temperature": 20.0}, ["humidity"])


def test_a_chip_that_is_gone_and_comes_back_with_another_number(files: KernelFiles) -> None:
    device = Light(sysfs=files.root)
    with pytest.raises(FileNotFoundError, match="no driver of the kernel offers a bh1750; they offer nothing"):
        device.read()
    link = files.iio("bh1750", "1-0023", in_illuminance_raw="120", in_illuminance_scale="0.833333")
    assert values(device) == {"illuminance": 99.99996}
    link.rename(link.parent / "iio:device7")
    assert values(device) == {"illuminance": 99.99996}
    assert device.bus == (link.parent / "iio:device7").resolve()
    (link.parent / "iio:device7").unlink()
    with pytest.raises(FileNotFoundError):
        device.read()
    assert device.bus is None


def test_a_chip_at_another_address_is_another_one(files: KernelFiles) -> None:
    files.iio("bh1750", "1-005c", in_illuminance_raw="65534", in_illuminance_scale="0.833333")
    with pytest.raises(FileNotFoundError, match="no bh1750 at 0x23; there is bh1750 at 0x5c"):
        Light(sysfs=files.root).read()
    assert values(Light(chip=Chip("BH1750 at 0x5C"), sysfs=files.root)) == {"illuminance": 54611.6448}


def test_the_kinds_read_what_their_drivers_document(files: KernelFiles) -> None:
    files.iio("bmp180", "1-0077", in_temp_input="-40000", in_pressure_input="110.000000000")
    files.iio(
        "scd4x",
        "1-0062",
        in_concentration_co2_raw="40000",
        in_concentration_co2_scale="0.000100000",
        in_temp_raw="27306",
        in_temp_offset="-16852",
        in_temp_scale="2.670328",
        in_humidityrelative_raw="32768",
        in_humidityrelative_scale="1.525902",
    )
    files.iio(
        "bme680",
        "1-0076",
        in_temp_input="25000",
        in_pressure_input="30.000000000",
        in_humidityrelative_input="44.999000000",  # per cent, of this driver alone
        in_resistance_input="12946860",
    )
    files.iio("vl53l0x", "1-0029", in_distance_raw="30", in_distance_scale="0.001000")
    read = {kind: values(kind(sysfs=files.root)) for kind in (Co2, Gas)}
    assert values(Pressure(chip=Chip("BMP180"), sysfs=files.root)) == {"pressure": 1100.0, "temperature": -40.0}
    assert read[Co2] == {"co2": 4e4, "temperature": 27.9156089, "humidity": 50.0007567}
    assert read[Gas] == {"temperature": 25.0, "humidity": 44.999, "pressure": 300.0, "gas_resistance": 12946860.0}
    assert values(Distance(chip=Chip("vl53l0x"), sysfs=files.root)) == {"distance": 0.03}


def test_gases_as_their_drivers_tell_them(files: KernelFiles) -> None:
    """The kernel's documents have concentrations in percent."""
    files.iio("sgp30", "1-0058", in_concentration_co2_input="0.040000", in_concentration_voc_input="0.000013")
    scales = {"in_concentration_co2_scale": "0.000100000", "in_concentration_voc_scale": "0.000000100"}
    files.iio("ccs811", "1-005b", in_concentration_co2_raw="1000", in_concentration_voc_raw="125", **scales)
    assert values(Gas(chip=Chip("SGP30"), sysfs=files.root)) == {"eco2": 400.0, "voc": 130.0}
    assert values(Gas(chip=Chip("CCS811"), sysfs=files.root)) == {"eco2": 1000.0, "voc": 125.0}
    assert [*Gas(chip=Chip("CCS811")).measures] == ["eco2", "voc"]


def test_a_humidity_and_a_temperature_that_are_raw(files: KernelFiles) -> None:
    files.iio(
        "hdc3020",
        "1-0044",
        in_temp_raw="0",
        in_temp_offset="-16852",
        in_temp_scale="2.670328832",
        in_humidityrelative_raw="65535",
        in_humidityrelative_scale="1.525902189",
    )
    files.hwmon("adt7410", "1-0048", temp1_input="-55000")
    assert values(Climate(chip=Chip("HDC3020"), sysfs=files.root))["humidity"] == 100.0
    assert values(Climate(chip=Chip("ADT7410"), sysfs=files.root)) == {"temperature": -55.0}


def test_a_thermocouple_is_negative_and_a_cut_one_has_no_value(files: KernelFiles) -> None:
    folder = files.iio(
        "max31855",
        "spi0.0",
        in_temp_raw="-1000",
        in_temp_scale="250",
        in_temp_ambient_raw="400",
        in_temp_ambient_scale="62.5",
    )
    kiln = Thermocouple(sysfs=files.root)
    assert values(kiln) == {"temperature": -250.0, "ambient": 25.0}
    files.fail(folder / "in_temp_raw")
    assert (values(kiln), [*wrong(kiln)]) == ({"ambient": 25.0}, ["temperature"])
    assert wrong(kiln)["temperature"].startswith("MAX31855: the thermocouple is cut or shorted, or /")
    assert [*Thermocouple(chip=Chip("MAX6675 at spi0.1")).measures] == ["temperature"]


def test_an_amplifier_that_is_not_wired_answers_zeros_which_are_no_temperature(files: KernelFiles) -> None:
    scales = {"in_temp_scale": "250", "in_temp_ambient_scale": "62.5"}
    folder = files.iio("max31855", "spi0.0", in_temp_raw="0", in_temp_ambient_raw="0", **scales)
    kiln = Thermocouple(sysfs=files.root)
    with pytest.raises(OSError, match="MAX31855: every bit of its answer is 0"):
        kiln.read()
    files.write(folder / "in_temp_ambient_raw", "328")
    assert values(kiln) == {"temperature": 0.0, "ambient": 20.5}
    files.iio("max6675", "spi0.1", in_temp_raw="0", in_temp_scale="250")
    with pytest.raises(OSError, match="MAX6675: every bit"):
        Thermocouple(chip=Chip("MAX6675 at spi0.1"), sysfs=files.root).read()


def test_a_max6675_in_ice_has_a_zero_and_one_that_is_unplugged_has_none(files: KernelFiles) -> None:
    folder = files.iio("max6675", "spi0.0", in_temp_raw="4", in_temp_scale="250")
    ice = Thermocouple(chip=Chip("MAX6675"), sysfs=files.root)

    def read(raw: str) -> float | str:
        files.write(folder / "in_temp_raw", raw)
        try:
            return cast("float", ice.read()["temperature"])
        except OSError as error:
            return str(error)[:30]

    mute = "MAX6675: every bit of its answ"
    assert [read(raw) for raw in ("4", "0", "1", "0", "0", "0", "0", "0")] == [1.0, 0, 0.25, 0, 0, 0, mute, mute]
    assert [read(raw) for raw in ("100", "0", "2", "0")] == [25.0, mute, 0.5, 0]
    files.fail(folder / "in_temp_raw")
    ice.read()
    (folder / "in_temp_raw").rmdir()
    assert read("0") == mute


@pytest.mark.parametrize("millimetres", ["0", "4001", "8190"])
def test_without_an_echo_what_it_would_measure_is_absent(files: KernelFiles, millimetres: str) -> None:
    files.iio("srf04", "hc-sr04", in_distance_raw=millimetres, in_distance_scale="0.001000")
    with pytest.raises(OSError, match=r"^HC-SR04: nothing that echoes is within 4 m$") as caught:
        Distance(sysfs=files.root).read()
    assert caught.value.errno in GONE


def test_a_distance_that_is_too_short_to_be_measured_is_none(files: KernelFiles) -> None:
    files.iio("srf04", "hc-sr04", in_distance_raw="19", in_distance_scale="0.001000")
    assert wrong(Distance(sysfs=files.root)) == {"distance": "0.019 m is not within 0.02 to 4"}


def test_a_sound_that_does_not_come_back_is_absent_after_three_tries(
    files: KernelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = list[float]()
    monkeypatch.setattr(time, "sleep", pauses.append)
    folder = files.iio("srf04", "hc-sr04", in_distance_scale="0.001000")
    (folder / "in_distance_raw").symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match=r"^HC-SR04: nothing that echoes is within 4 m, or /") as caught:
        Distance(sysfs=files.root).read()
    assert caught.value.errno in GONE
    assert len(pauses) == 2


def test_a_first_co2_of_zero_is_none(files: KernelFiles) -> None:
    files.iio(
        "scd30",
        "1-0061",
        in_concentration_co2_raw="0",
        in_concentration_co2_scale="0.000100000",
        in_temp_raw="0",
        in_temp_scale="10",
        in_humidityrelative_raw="0",
        in_humidityrelative_scale="10",
    )
    room = Co2(chip=Chip("SCD30"), sysfs=files.root)
    assert wrong(room) == {"co2": "0.0 ppm is not within 1 to 40000"}


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("bme280", "BME280"),
        ("BME280 at 0x77", "BME280 at 0x77"),
        ("bme-280 AT 0x76", "BME280"),
        ("DHT22 at 17", "DHT22 at GPIO17"),
        ("HCSR04 at GPIO5, GPIO6", "HC-SR04 at GPIO5 GPIO6"),
        ("max31855 at SPI0.1", "MAX31855 at spi0.1"),
        ("bmp180 at 0x77", "BMP180"),
        ("SHT31 at 0x44 on i2c-1", "SHT31"),
        ("SHT31 at 0x44 ON I2C-3", "SHT31 at 0x44 on i2c-3"),
    ],
)
def test_a_part_is_written_in_many_ways(text: str, is_: str) -> None:
    assert str(Chip(text)) == is_
    assert Chip(is_) == Chip(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("BMX280", "did you mean BM[EP]280"),
        ("", "such as BME280, BMP280, BMP180"),
        ("BME280 at 0x78", "a place like its usual one, 0x76"),
        ("BME280 at GPIO4", "a place like its usual one, 0x76"),
        ("DHT22 at GPIO28", "its usual one, GPIO4"),
        ("DHT22 at GPIO5 GPIO6", "its usual one, GPIO4"),
        ("HC-SR04 at GPIO5 GPIO5", "its usual one, GPIO23 GPIO24"),
        ("BMP180 at 0x76", "it is always at 0x77"),
    ],
)
def test_what_is_no_part_or_no_place(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Chip(text)


@pytest.mark.parametrize(
    ("text", "overlay", "new_device", "bus"),
    [
        ("SHT31", "i2c-sensor,sht3x,addr=0x44", "", 1),
        ("SHT31 at 0x45 on i2c-3", "i2c-sensor,sht3x,addr=0x45,i2c3", "", 3),
        ("SHT31 on i2c-3", "", "", 0),
        ("SHT31 at 0x44 on i2c-11", "", "sht3x 0x44", 11),
        ("MCP3422 at 0x68 on i2c-3", "", "mcp3422 0x68", 3),
        ("INA219 at 0x41", "", "ina219 0x41", 1),
        ("MAX31856 at spi0.1", "maxtherm,spi0-1,max31856", "", 1),
        ("DHT22 at GPIO17", "dht11,gpiopin=17", "", 1),
        ("HX711", "", "", 1),
    ],
)
def test_a_chip_on_another_bus(text: str, overlay: str, new_device: str, bus: int) -> None:
    if not bus:
        with pytest.raises(ValueError, match="the number of a part"):
            Chip(text)
        return
    (need,) = Chip(text).needs()
    assert (need.overlay, need.new_device, need.bus) == (overlay, new_device, bus)


def test_chips_of_one_address_on_two_buses(files: KernelFiles) -> None:
    files.hwmon("sht3x", "1-0044", temp1_input="1000", humidity1_input="1000")
    files.hwmon("sht3x", "33-0044", temp1_input="33000", humidity1_input="3000")
    files.hwmon("sht3x", "3-0044", temp1_input="3000", humidity1_input="3000")
    second = Climate(chip=Chip("SHT31 at 0x44 on i2c-3"), sysfs=files.root)
    assert values(second)["temperature"] == 3.0
    assert values(Climate(chip=Chip("SHT31"), sysfs=files.root))["temperature"] == 1.0


def test_a_chip_on_another_bus_is_not_the_one_on_the_header(files: KernelFiles) -> None:
    files.iio("bme280", "3-0076", in_temp_input="3000", in_humidityrelative_input="1", in_pressure_input="100")
    with pytest.raises(FileNotFoundError) as caught:
        Climate(sysfs=files.root).read()
    assert caught.value.strerror == (
        'there is no bme280 at 0x76; there is bme280 at 0x76 on i2c-3: chip = "BME280 at 0x76 on i2c-3"'
    )
    assert values(Climate(chip=Chip("BME280 at 0x76 on i2c-3"), sysfs=files.root))["temperature"] == 3.0


def test_a_kind_reads_its_own_parts() -> None:
    with pytest.raises(ValueError, match=r"'chip' must be one of BH1750, .*, not BME280"):
        Light(chip=Chip("BME280"))


def test_humidity_in_fog_is_100(files: KernelFiles) -> None:
    chip = files.hwmon("sht4x", "1-0044", temp1_input="5000", humidity1_input="101900")
    shed = Climate(chip=Chip("SHT40"), sysfs=files.root)
    assert values(shed) == {"temperature": 5.0, "humidity": 100.0}
    files.write(chip / "humidity1_input", "-900")
    assert values(shed) == {"temperature": 5.0, "humidity": 0.0}
    for broken in ("118900", "-6000"):
        files.write(chip / "humidity1_input", broken)
        assert values(shed) == {"temperature": 5.0}


def test_a_light_sensor_that_was_without_power_does_not_call_it_dark(files: KernelFiles) -> None:
    chip = files.iio("veml6030", "1-0010", in_illuminance_input="0.000000")
    lux = chip / "in_illuminance_input"
    window = Light(chip=Chip("VEML6030"), sysfs=files.root)
    assert values(window) == {"illuminance": 0.0}
    files.fail(lux)
    assert wrong(window).keys() == {"illuminance"}
    lux.rmdir()
    files.write(lux, "0.000000")
    for _ in range(2):
        with pytest.raises(OSError, match="VEML6030: it says 0 since it was silent"):
            window.read()
    files.write(lux, "119.884800")
    assert values(window) == {"illuminance": 119.8848}
    files.write(lux, "0.000000")
    assert values(window) == {"illuminance": 0.0}


def test_it_may_be_dark_when_its_driver_has_begun_again(files: KernelFiles) -> None:
    chip = files.iio("veml6030", "1-0010", in_illuminance_input="0.000000")
    window = Light(chip=Chip("VEML6030"), sysfs=files.root)
    files.fail(chip / "in_illuminance_input")
    window.read()
    chip.resolve().rename(chip.resolve().with_name("gone"))
    chip.unlink()
    files.iio("veml6030", "1-0010", in_illuminance_input="0.000000")
    assert values(window) == {"illuminance": 0.0}


def test_a_chip_that_its_driver_sets_up_once_is_not_believed_after_a_silence(files: KernelFiles) -> None:
    """A TMP102 without power falls back to 12 bits, of which its driver makes twice the temperature."""
    chip = files.hwmon("tmp102", "1-0048", temp1_input="25000")
    wall = Climate(chip=Chip("TMP102"), sysfs=files.root)
    assert values(wall) == {"temperature": 25.0}
    files.fail(chip / "temp1_input")
    assert "Is a directory" in wrong(wall)["temperature"]
    (chip / "temp1_input").rmdir()
    files.write(chip / "temp1_input", "50000")
    for _ in range(2):
        assert wrong(wall)["temperature"].endswith(
            "until its driver begins anew: echo 1-0048 | sudo tee /sys/bus/i2c/drivers/tmp102/{unbind,bind}"
        )
    chip.resolve().rename(chip.resolve().with_name("gone"))
    chip.unlink()
    files.hwmon("tmp102", "1-0048", temp1_input="25000")
    assert values(wall) == {"temperature": 25.0}


@pytest.mark.parametrize(
    ("part", "place", "file", "end"),
    [("BH1750", "1-0023", "in_illuminance_raw", "65535"), ("OPT3001", "1-0044", "in_illuminance_input", "83865.600")],
)
def test_light_brighter_than_a_sensor_can_tell_is_none(
    files: KernelFiles, part: str, place: str, file: str, end: str
) -> None:
    files.iio(part.lower(), place, **{file: end})
    said = wrong(Light(chip=Chip(part), sysfs=files.root))["illuminance"]
    assert f"holds {end.removesuffix('00')}, an end of the range" in said
