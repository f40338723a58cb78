"""A new device's file, and the data sheets it is made from."""

import json
import re
import resource
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.config import kinds
from bootstrap.config.loader import check
from bootstrap.proof import DRIVEN_LINES, KERNEL_DRIVER
from penates.__main__ import main
from penates.datasheet import sheet
from penates.parts import OTHER_WORDS, elsewhere, kinds_for, parts
from support.gauges import RAIN, device
from support.world import House


def penates(house: House, *words: str) -> SimpleNamespace:
    """As `House.penates`, in this process: there are many."""
    with redirect_stdout(StringIO()) as stdout, redirect_stderr(StringIO()) as stderr:
        code = main([*words, "--config", str(house.folder)])
    return SimpleNamespace(returncode=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


def text(house: House, name: str) -> str:
    return (house.folder / "devices" / f"{name}.toml").read_text()


@pytest.mark.parametrize("kind", [*kinds.names(), "gauges.Rain"])
def test_every_default_is_shown_and_true(rainy: House, kind: str) -> None:
    found = sheet(kind, rainy.folder)
    given = [f"{name}={value}" for name, value in found.examples().items()]
    done = penates(rainy, "new", kind, "recorder" if kind == "recorder" else "it", *given)
    assert (done.returncode, done.stderr) == (0, "")
    (file,) = (rainy.folder / "devices").iterdir()
    before, rows = device(rainy, file.stem), file.read_text().splitlines()
    assert all(len(row) <= 120 for row in rows)
    shown = re.findall(r"^(?:# )?(\w+) = ", "\n".join(rows), re.MULTILINE)
    names = ["kind", "group", "sensor", *(["shared_with"] if found.device.private else [])]
    assert sorted(shown) == sorted([*names, *(one.name for one in found.settings)])
    examples = tuple(f"# {one.name} = " for one in found.settings if one.default is None)
    file.write_text("\n".join(row if row.startswith(examples) else re.sub(r"^# (?=\w+ = )", "", row) for row in rows))
    assert device(rainy, file.stem) == before
    assert not [
        name for name in shown if name not in tomllib.loads(file.read_text()) and f"# {name} = " not in examples
    ]


def test_what_is_said_of_a_setting_stands_beside_it(rainy: House) -> None:
    penates(rainy, "new", "gauges.Rain", "roof", "port=/dev/tty 1", "unexplained=true")
    assert (
        text(rainy, "roof")
        == """\
## A tipping bucket. It says "tip" often.
## Wiring: one leg to `pin`, the other to GND.
kind = "gauges.Rain"

## What it shows when dry.
# offset = -0.5

## Where it is plugged in, such as /dev/ttyUSB0; see dmesg.
port = "/dev/tty 1"

## GPIO line: its BCM number, "GPIO17", or "BOARD11" for pin 11.
# reset_pin = …

## How it counts: "up", or "down". it matters.
# way = "up"
# words = ["a\\\\b", "c"]
unexplained = true

## A folder, such as "here".
# place = "here"

## I2C address.
# address = 64
# secret = "x"

## Seconds between readings.
# every_s = 60.0

## A group other than the house's, or another sensor id.
# group = "cm"
# sensor = "roof"
"""
    )


def test_a_class_without_a_source_has_a_sheet_without_sentences() -> None:
    names: dict[str, Any] = {"__name__": "from_nowhere"}
    exec(RAIN.split('"""Mine."""')[1], names)
    sys.modules["from_nowhere"] = type(sys)("from_nowhere")
    vars(sys.modules["from_nowhere"]).update(names)
    said = {one.name: one.sentence for one in sheet("from_nowhere.Rain", Path()).settings}
    assert (said["way"], said["address"], said["every_s"]) == ("", "I2C address.", "Seconds between readings.")


@pytest.mark.parametrize(
    ("typed", "written", "setting"),
    [
        ("serial=28-0316a2795fff", '"28-0316a2795fff"', "serial"),
        ("sensor=12", '"12"', "sensor"),
        ('bus="a b"', '"a b"', "bus"),
        ("sensor=true", '"true"', "sensor"),
        ("every_s=5", "5", "every_s"),
        ("bus=there", '"there"', "bus"),
        ('bus=x"\nkind = "door', '"x\\"\\nkind = \\"door"', "bus"),
        ("group=garden", '"garden"', "group"),
    ],
)
def test_what_is_typed_need_not_be_quoted(rainy: House, typed: str, written: str, setting: str) -> None:
    serial = "serial=28-0316a2795fff"
    penates(rainy, "new", "thermometer", "it", serial, *([typed] if setting != "serial" else []), "--set", typed)
    assert f"\n{setting} = {written}\n" in text(rainy, "it")
    assert len(check(rainy.folder)) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["dor", "it", "pin=4"], "penates new: no kind 'dor'; did you mean 'door'?"),
        (["gauges.Snow", "it"], "penates new: no kind 'gauges.Snow'; Snow in gauges is not there"),
        (["door", "frontdoor", "pin=4"], "devices/frontdoor.toml:1: already exists; nothing was written"),
        (["door", "../it", "pin=4"], "penates new: a sensor's name must be 1 to 64 ASCII letters"),
        (["door", "eyes", "pin=4"], "devices/eyes.toml:1: the sensor id 'eyes' is reserved"),
        (["door", "it", "pin=17"], "devices/it.toml:6: GPIO17 is already the pin of frontdoor"),
        (["door", "it", "pin=28"], "devices/it.toml:6: 'pin' must be at least 0 and at most 27, not 28"),
        (
            ["door", "it", "pin=x"],
            "devices/it.toml:6: 'pin' must be a BCM number up to 27, a line (GPIO0 to GPIO27) or",
        ),
        (["door", "it", "pin=BOARD1"], "devices/it.toml:6: 'pin' must be a GPIO line (BOARD1 is 3V3), not \"BOARD1\""),
        (["door", "it", "pin=BOARD11"], "devices/it.toml:6: GPIO17 is already the pin of frontdoor"),
        (["door", "it", "pn=4"], "penates new: no setting 'pn'; did you mean 'pin'?"),
        (["door", "it", "pin"], "penates new: settings are given as SETTING=VALUE, such as pin=17, not 'pin'"),
        (
            ["door", "it", "pin=4", "sensor=frontdoor"],
            "devices/it.toml:1: cm/frontdoor is already defined in devices/frontdoor.toml; set another sensor = …",
        ),
        (["recorder", "it", "keep_days=3", "store=influxdb1"], "devices/it.toml:"),
    ],
)
def test_what_does_not_fit_is_not_written(rainy: House, words: list[str], why: str) -> None:
    rainy.device("frontdoor", 'kind = "door"\npin = 17\n')
    rainy.device("zdoor", 'kind = "door"\npin = 18\n')
    done = penates(rainy, "new", *words)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith(why)
    assert sorted(path.name for path in (rainy.folder / "devices").iterdir()) == ["frontdoor.toml", "zdoor.toml"]


@pytest.mark.parametrize(("typed", "written"), [("GPIO5", '"GPIO5"'), ('"BOARD29"', '"BOARD29"'), ("5", "5")])
def test_a_line_is_given_by_its_name_or_number(rainy: House, typed: str, written: str) -> None:
    assert penates(rainy, "new", "door", "it", f"pin={typed}").returncode == 0
    assert f"\npin = {written}\n" in text(rainy, "it")
    assert device(rainy, "it")["pin"] == 5


RADIO = """
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from bootstrap.device import Device, Measure
from bootstrap.needs import DebianPackage, Listened, Program, SerialPort

class Shown:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text

    def needs(self):
        return [Listened("a/b")]

@dataclass(kw_only=True)
class Radio(Device):
    \"\"\"Hears.

    Wiring: none.
    \"\"\"

    port: SerialPort
    program: Annotated[Program, DebianPackage("rtl-433")] = "rtl_433"
    shows: Shown = Shown("a/b is")  # the text

    heard = Measure("1")

    def read(self):
        return {}
"""


def test_a_setting_that_declares_a_need_says_what_it_is(rainy: House) -> None:
    (rainy.folder / "hearing.py").write_text(RADIO)
    shown = penates(rainy, "kinds", "hearing.Radio").stdout
    assert (
        "## Path of the serial port; the one in /dev/serial/by-id stays the same. Set it: it has no default.\n"
        '# port = "…"\n'
        "\n"
        "## Program: its name or path. It is in the Debian package rtl-433.\n"
        '# program = "rtl_433"\n'
        "\n"
        "## The text.\n"
        '# shows = "a/b is"\n'
    ) in shown
    settings = json.loads(penates(rainy, "kinds", "hearing.Radio", "--json").stdout)["hearing.Radio"]["settings"]
    assert (settings["program"]["package"], settings["shows"]["default"]) == ("rtl-433", "a/b is")
    assert penates(rainy, "new", "hearing.Radio", "it", "port=/dev/ttyUSB0", "shows=x y").returncode == 0
    assert len(check(rainy.folder)) == 1


def test_faults_elsewhere_hinder_nobody(rainy: House) -> None:
    rainy.write(1, broker='password_file = "secrets/{sensor}"')  # which is made later
    rainy.device("broken", "kind = \n")
    assert penates(rainy, "new", "door", "it", "pin=4").returncode == 0


def test_what_is_left_open_is_named_and_missed(rainy: House) -> None:
    done = penates(rainy, "new", "door", "it", "bounce_s=1")
    assert (done.returncode, done.stderr) == (78, "penates new: still to be set in that file: pin\n")
    line = '## GPIO line: its BCM number, "GPIO17", or "BOARD11" for pin 11. Set it: it has no default.'
    assert f"{line}\n# pin = …\n" in text(rainy, "it")
    assert penates(rainy, "check").stderr == "devices/it.toml:6: 'pin' is missing; remove the '#' and set it\n"


def test_a_folder_that_cannot_be_written(rainy: House) -> None:
    (rainy.folder / "devices").rmdir()
    (rainy.folder / "devices").symlink_to("/proc")
    done = penates(rainy, "new", "door", "it", "pin=4")
    why = f"penates new: {rainy.folder}/devices/it.toml cannot be written: No such file or directory\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", why)


def test_a_full_disk_leaves_nothing_that_is_in_the_way_later(
    rainy: House, full_disk: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    done = penates(rainy, "new", "door", "it", "pin=4")
    file = rainy.folder / "devices" / "it.toml"
    assert (done.returncode, done.stderr) == (1, f"penates new: {file} cannot be written: File too large\n")
    assert [*file.parent.iterdir()] == []
    resource.setrlimit(resource.RLIMIT_FSIZE, full_disk)
    assert penates(rainy, "new", "door", "it", "pin=4").returncode == 0


def test_it_says_how_to_wire_it_and_what_is_next(rainy: House) -> None:
    file = rainy.folder / "devices" / "it.toml"
    assert penates(rainy, "new", "door", "it", "pin=4").stdout.splitlines() == [
        f"{file} was written.",
        "Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.",
        f"Next: penates run it --config {rainy.folder}",
    ]


def test_kinds_lists_all(rainy: House) -> None:
    rows = penates(rainy, "kinds").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["KIND", *kinds.names()]
    assert rows[kinds.names().index("door") + 1].split()[:2] == ["door", "open"]
    assert [*json.loads(penates(rainy, "kinds", "--json").stdout)] == kinds.names()


def test_a_part_is_found_by_its_number_however_it_is_written(rainy: House) -> None:
    for word in ("HC-SR501", "hcsr501", "hc sr501", "HC_SR501"):
        shown = penates(rainy, "kinds", word).stdout
        assert shown.startswith(f"{word} is served by: motion\n\nmotion: A PIR sensor")
    assert [*json.loads(penates(rainy, "kinds", "ds18b20", "--json").stdout)] == ["thermometer"]
    done = penates(rainy, "new", "hcsr501", "hall", "pin=17")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "hcsr501 is served by the kind motion.")
    assert tomllib.loads(text(rainy, "hall"))["kind"] == "motion"


@pytest.mark.parametrize(
    ("part", "kind", "more"),
    [
        ("BME280", "climate", {"chip": "BME280"}),
        ("dht-22", "climate", {"chip": "DHT22"}),
        ("HX711", "weight", {"chip": "HX711"}),
        ("PZEM-004T", "pzem", {}),
        ("pms5003", "air", {"make": "pms5003"}),
        ("YL-83", "leak", {}),
    ],
)
def test_whoever_has_a_part_needs_to_know_no_kind(rainy: House, part: str, kind: str, more: dict[str, str]) -> None:
    needed = {name: value for name, value in sheet(kind, None).examples().items() if name not in more}
    done = penates(rainy, "new", part, "it", *(f"{name}={value}" for name, value in needed.items()))
    assert (done.returncode, done.stderr) == (0, "")
    written = tomllib.loads(text(rainy, "it"))
    assert written.pop("kind") == kind
    assert {name: value for name, value in written.items() if name not in needed} == more


def test_every_part_leads_to_its_kind() -> None:
    for one in parts():
        assert one.kind in kinds_for(one.part)
        assert (elsewhere(one.part) or ("", one.kind))[1] == one.kind
    for word in kinds.names():
        assert kinds_for(word) == [word]
        assert word in kinds_for(word.upper().replace("_", "-"))
    assert kinds_for("PZEM") == ["pzem"]  # though parts begin so, too
    assert kinds_for("ldr") == ["adc"]


def test_what_people_call_a_kind_leads_to_it() -> None:
    for word, found in OTHER_WORDS.items():
        assert kinds_for(word.title()) == [*found]
        assert {*found} <= {*kinds.names()}


def test_a_part_that_no_kind_reads_is_told_with_what_to_buy(rainy: House) -> None:
    for command in (("kinds", "sct013"), ("new", "SCT-013", "mains")):
        done = penates(rainy, *command)
        assert "SCT-013 is not read: it needs thousands of samples" in done.stdout + done.stderr
        assert "pzem" in done.stdout + done.stderr
    assert penates(rainy, "new", "SCT-013", "mains").returncode == 78
    assert not (rainy.folder / "devices" / "mains.toml").exists()


def test_a_part_that_nothing_serves_gets_what_is_near(rainy: House) -> None:
    done = penates(rainy, "kinds", "HC-SR")
    assert (done.returncode, done.stdout) == (78, "")
    assert "these parts begin so: " in done.stderr
    assert "HC-SR501 (motion)" in done.stderr
    assert penates(rainy, "new", "xyz", "it").stderr.startswith("penates new: no kind 'xyz'; ")


def test_a_part_of_several_kinds_is_for_its_owner_to_choose(rainy: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds.find("door", None), "parts", {"AM-312": DRIVEN_LINES})
    listed = penates(rainy, "kinds", "am312").stdout
    assert "am312 is served by: door, motion" in listed
    assert re.search(r"^motion +motion +A PIR sensor", listed, re.MULTILINE)
    done = penates(rainy, "new", "AM312", "hall", "pin=17")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.endswith("name the one that you want: door, motion\n")


EITHER = """
from dataclasses import dataclass
from typing import Literal

from bootstrap import Device, Input, Measure


@dataclass(kw_only=True)
class Either(Device):
    first: Input
    second: Input
    make: Literal["a-1", "a-2"]  # such as a-2
    port: str | None = None  # such as /dev/ttyUSB0
    host: str | None = None  # such as meter.local
    table: list[int] | None = None  # such as [1, 2]
    size: Literal[1, 2] | None = None

    level = Measure("1")

    def __post_init__(self):
        if (self.port is None) == (self.host is None) or self.table is None:
            raise ValueError("set either 'port' or 'host', and 'table'")

    def read(self):
        return {"level": 1}
"""


def test_examples_of_a_kind_are_those_with_which_a_device_can_be_made(house: House) -> None:
    house.write(1)
    (house.folder / "either_port.py").write_text(EITHER)
    found = sheet("either_port.Either", house.folder)
    made = {"first": "17", "second": "27", "make": '"a-2"', "port": '"/dev/ttyUSB0"', "table": "[1, 2]"}
    assert found.examples() == made
    assert found.made(made)
    assert found.made({**made, "host": '"meter"'}) is None
    assert (found.of_part("A1"), found.of_part("A3")) == ({"make": '"a-1"'}, {})


def test_proofs_are_listed_by_part(rainy: House) -> None:
    rows = penates(rainy, "kinds", "--proof").stdout.splitlines()
    assert rows[0].split() == ["KIND", "PART", "PROVEN", "BY"]
    assert len(rows) == 1 + len([*parts()])
    assert re.fullmatch(rf"thermometer +DS18B20 +{KERNEL_DRIVER}", next(row for row in rows if "DS18B20" in row))
    proofs = json.loads(penates(rainy, "kinds", "--proof", "--json").stdout)
    assert proofs["thermometer"] == {"DS18B20": KERNEL_DRIVER}
    assert [*proofs] == kinds.names()
    (only,) = json.loads(penates(rainy, "kinds", "motion", "--proof", "--json").stdout).values()
    assert only["HC-SR501"] == DRIVEN_LINES


def test_kinds_shows_one_data_sheet(rainy: House) -> None:
    shown = penates(rainy, "kinds", "gauges.Rain").stdout
    assert shown.startswith(
        'gauges.Rain: A tipping bucket.\n\nIt says "tip" often.\nWiring: one leg to `pin`, the other'
    )
    assert "## Where it is plugged in, such as /dev/ttyUSB0; see dmesg. Set it: it has no default.\n# port = " in shown
    assert re.search(r"^rain +mm +at least 0 +changes by at most 5 between readings$", shown, re.MULTILINE)
    assert re.search(r"^tips +1 +an event, never retained$", shown, re.MULTILINE)
    assert shown.endswith("Actions: log (debug, info, warning, error), read (now), reset\n")
    gone = penates(rainy, "kinds", "gauges.Snow")
    assert (gone.returncode, gone.stderr) == (78, "penates kinds: no kind 'gauges.Snow'; Snow in gauges is not there\n")


def test_kinds_shows_where_each_leg_goes(rainy: House) -> None:
    shown = penates(rainy, "kinds", "HC-SR501").stdout
    assert re.search(r"^ +3V3  1 2  5V     ── VCC$", shown, re.MULTILINE)
    assert re.search(r"^OUT ── GPIO17 11 12 GPIO18$", shown, re.MULTILINE)


def test_kinds_tells_programs_all_of_it(rainy: House) -> None:
    (rain,) = json.loads(penates(rainy, "kinds", "gauges.Rain", "--json").stdout).values()
    assert rain["wiring"] == "one leg to `pin`, the other to GND."
    assert rain["measures"] == {"rain": {"unit": "mm", "low": 0, "step": 5}, "tips": {"unit": "1", "event": True}}
    assert [*rain["actions"]] == ["log", "read", "reset"]
    settings = rain["settings"]
    assert settings["port"] == {"required": True, "what": "Where it is plugged in, such as /dev/ttyUSB0; see dmesg."}
    assert settings["way"]["choices"] == ["up", "down"]
    assert settings["address"] == {"required": False, "default": 64, "low": 3, "high": 119, "what": "I2C address."}
    assert settings["place"]["default"] is None


@pytest.mark.parametrize(
    ("words", "driver"),
    [
        (
            ["SHT31", "it"],
            "add `dtoverlay=i2c-sensor,sht3x,addr=0x44` to FILE, then restart the Pi",
        ),
        (
            ["climate", "it", "chip=DHT22 at GPIO17"],
            "add `dtoverlay=dht11,gpiopin=17` to FILE, then restart the Pi",
        ),
        (
            ["DS18B20", "it", "serial=28-0316a2795fff"],
            "add `dtoverlay=w1-gpio` to FILE, then restart the Pi",
        ),
        (
            ["MAX31856", "it", "chip=MAX31856 at spi0.1"],
            "add `dtoverlay=maxtherm,spi0-1,max31856` to FILE, then restart the Pi",
        ),
        (
            ["INA219", "it"],
            "add `dtparam=i2c_arm=on` to FILE, restart the Pi, and after each start run `echo ina219 0x40 | DEVICE`",
        ),
        (["HX711", "it"], "Raspberry Pi OS has neither an overlay nor a driver for it: see docs/CHIPS.md"),
    ],
)
def test_what_makes_a_part_known_to_the_kernel_is_in_its_file(rainy: House, words: list[str], driver: str) -> None:
    driver = driver.replace("FILE", "/boot/firmware/config.txt")
    driver = driver.replace("DEVICE", "sudo tee /sys/bus/i2c/devices/i2c-1/new_device")
    done = penates(rainy, "new", *words)
    assert done.returncode == 0
    assert f"\nDriver: {driver}.\n" in done.stdout
    head = " ".join(line.removeprefix("## ") for line in text(rainy, "it").splitlines() if line.startswith("## "))
    assert f" Driver: {driver}. " in head
    assert "Driver" not in penates(rainy, "new", "door", "other", "pin=22").stdout


def test_kinds_shows_the_part_that_was_asked_for(rainy: House) -> None:
    shown = penates(rainy, "kinds", "sht-31").stdout
    assert "\nDriver: add `dtoverlay=i2c-sensor,sht3x,addr=0x44` to /boot/firmware/config.txt" in shown
    assert '\nchip = "SHT31"\n' in shown
    (climate,) = json.loads(penates(rainy, "kinds", "SHT31", "--json").stdout).values()
    (step,) = climate["driver"]
    assert step.startswith("add `dtoverlay=i2c-sensor,sht3x,addr=0x44` to ")
    assert '\n# chip = "BME280"\n' in penates(rainy, "kinds", "climate").stdout
