"""Everything wrong with a configuration is said at once, with file, line, what, and what instead."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.config import boot_config, loader
from bootstrap.config.loader import check
from bootstrap.config.secrets import read_password
from bootstrap.config.toml_file import SettingsError
from bootstrap.device import Device
from support.configuration import CELLAR, HOUSE, faults
from support.world import House


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (CELLAR.replace("serial", "serail"), "devices/cellar.toml:2: no setting 'serail'; did you mean 'serial'?"),
        (CELLAR + 'serail = "x"\n', "devices/cellar.toml:3: no setting 'serail'; did you mean 'serial'?"),
        (CELLAR + "zzz = 1\n", "devices/cellar.toml:3: no setting 'zzz'; choose from bus, every_s, serial"),
        (
            'kind = "thermometer"\nserial = 28\n',
            "devices/cellar.toml:2: 'serial' must be text in quotes, not 28",
        ),
        (
            'kind = "thermometer"\nserial = ""\n',
            "devices/cellar.toml:2: 'serial' must be text that is not empty, not \"\"",
        ),
        (CELLAR + 'every_s = "1"\n', "devices/cellar.toml:3: 'every_s' must be a number, not \"1\""),
        (CELLAR + "every_s = true\n", "devices/cellar.toml:3: 'every_s' must be a number, not true"),
        (CELLAR + "every_s = nan\n", "devices/cellar.toml:3: 'every_s' must be a number, not nan"),
        (CELLAR + "every_s = 0\n", "devices/cellar.toml:3: 'every_s' must be at least 0.01, not 0"),
        (CELLAR + "bus = 3\n", "devices/cellar.toml:3: 'bus' must be a path in quotes, not 3"),
        ('kind = "thermometer"\n', "devices/cellar.toml:1: 'serial' is missing"),
        ('serial = "28-1"\n', "devices/cellar.toml:1: 'kind' is missing"),
        ("# nothing\n\nkind = 3\n", "devices/cellar.toml:3: 'kind' must be text in quotes"),
        (
            'kind = "thermometre"\n',
            "devices/cellar.toml:1: no kind 'thermometre'; did you mean 'thermometer'? (for one of",
        ),
        ('kind = "os.path"\n', "devices/cellar.toml:1: no kind 'os.path'; path in os is not a Device"),
        (
            'kind = "no.such.Thing"\n',
            "devices/cellar.toml:1: kind 'no.such.Thing' cannot be loaded: ModuleNotFoundError: No module named 'no'",
        ),
        (CELLAR + 'group = "a b"\n', "devices/cellar.toml:3: 'group' must be 1 to 64 ASCII letters"),
        (CELLAR + "x = [\n", "devices/cellar.toml:3: not TOML: Invalid value; is a ] missing"),
        (CELLAR + CELLAR, "devices/cellar.toml:3: not TOML: Cannot overwrite a value"),
        (CELLAR + f"x = {'[' * 5000}", "devices/cellar.toml:1: nested too deeply; settings are flat"),
        (CELLAR + f"every_s = {'1' * 5000}", "devices/cellar.toml:3: a whole number has more than 4300 digits"),
        (CELLAR + f"every_s = {'1' * 400}", f"devices/cellar.toml:3: 'every_s' must be a number, not {'1' * 80}…"),
        (CELLAR + f"every_s = 0x{'1' * 5000}", "devices/cellar.toml:3: 'every_s' must be a number, not a whole number"),
        (CELLAR + 'bus = "\\u0000"', "devices/cellar.toml:3: 'bus' must be a path in quotes, not \"\\x00\""),
        (CELLAR + 'group = "\\u001b[2J\\n"', "devices/cellar.toml:3: 'group' must be 1 to 64 ASCII letters"),
        (CELLAR + "# \u2028\nx = 1", "devices/cellar.toml:4: no setting 'x'"),
        (f"{CELLAR}# {'x' * 65_536}", "devices/cellar.toml:1: cannot be read: it has more than 65536 bytes"),
        (
            'kind = "button"\npin = 4\nhold_s = 1e300\n',
            "devices/cellar.toml:3: 'hold_s' must be at least 0 and at most 31622400 (a year), not 1e+300",
        ),
        (
            CELLAR + "every_s = 1e308\n",
            "devices/cellar.toml:3: 'every_s' must be at most 31622400 (a year), not 1e+308",
        ),
        (
            'kind = "thermometer"\nserial = "../../etc"\n',
            "devices/cellar.toml:2: 'serial' must be 2 and 12 hexadecimal digits in lower case, such as 28-",
        ),
        ('kind = "thermometer"\nserial = "28-0316A2795FFF"\n', "devices/cellar.toml:2: 'serial' must be 2 and 12"),
        (
            'kind = "thermometer"\nserial = "../x"\nbus = "w1"\n',
            "devices/cellar.toml:2: 'serial' must be the name of a folder in bus, such as 28-0316a2795fff",
        ),
    ],
)
def test_a_device_file(house: House, text: str, fault: str) -> None:
    found = faults(house, devices={"cellar": text})
    assert len(found) == 1
    assert found[0].startswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[temprature]\nlow = 0\n", "3: no measure 'temprature'; did you mean 'temperature'?"),
        ("[broker]\nport = 1\n", "3: no measure 'broker'; choose from temperature"),
        ("temprature.low = 0\n", "3: no measure 'temprature'; did you mean 'temperature'?"),
        ("temperature = 5\n", "3: 'temperature' must be a section, [temperature], not 5"),
        ("\n[temperature]\nlo = 0\n", "5: no setting 'lo'; did you mean 'low'?"),
        ('[temperature]\nlow = "0"\n', "4: 'low' must be a number, not \"0\""),
        ("[temperature]\nhigh = inf\n", "4: 'high' must be a number, not inf"),
        ("[temperature]\nstep = 0\n", "4: 'step' must be above 0, not 0"),
        (
            "[temperature]\n\nlow = 125\n",
            "5: 'low' of 'temperature' must be below its 'high', but 'low' is 125 and 'high'",
        ),
        (
            "[temperature]\nhigh = -60\n",
            "4: 'low' of 'temperature' must be below its 'high', but 'high' is -60 and 'low'",
        ),
        ("[temperature]\nlow = 5\nevery_s = 3\n", "5: no setting 'every_s' in [temperature]; move the line above"),
        ("[temperature]\nlow = 5\nsensor = 'x'\n", "5: no setting 'sensor' in [temperature]; move the line above"),
    ],
)
def test_limits_of_a_measure(house: House, text: str, fault: str) -> None:
    found = faults(house, devices={"cellar": CELLAR + text})
    assert len(found) == 1
    assert found[0].startswith(f"devices/cellar.toml:{fault}")


def test_what_is_no_number_has_no_limits(house: House) -> None:
    assert faults(house, devices={"front": 'kind = "door"\npin = 4\n[open]\nlow = 0\n'}) == [
        "devices/front.toml:3: 'open' is bool, no number: it has no low, high or step"
    ]


def test_a_line_of_the_house_below_a_section_is_told_where_it_belongs(house: House) -> None:
    assert faults(house, HOUSE + "[broker]\nheartbeat_s = 5\n") == [
        "house.toml:3: no setting 'heartbeat_s' in [broker]; move the line above [broker], which ends with the file"
    ]


def test_the_same_limits_are_the_same_settings_and_others_are_not(house: House) -> None:
    """A reload replaces a device whose settings differ, and sets up a copy of the old one if the new one fails."""
    (house.folder / "house.toml").write_text(HOUSE)

    def device(text: str) -> Device:
        (house.folder / "devices" / "cellar.toml").write_text(CELLAR + text)
        return check(house.folder)[0].device

    plain, limited = device(""), device("[temperature]\nlow = -10\nstep = 2.5\n")
    assert limited == device("temperature = { step = 2.5, low = -10 }\n") != plain
    assert limited != device("[temperature]\nlow = -11\nstep = 2.5\n")
    assert isinstance(limited, type(plain))
    measure = replace(plain.measures["temperature"], low=-10, step=2.5)
    assert replace(limited).measures == {"temperature": measure}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "house.toml:1: 'group' is missing"),
        ('group = "c/m"', "house.toml:1: 'group' must be 1 to 64 ASCII letters, digits, '-' or '_', not \"c/m\""),
        ('\ngroup = "c+m"', "house.toml:2: 'group' must be"),
        (HOUSE + "heartbeats = 3", "house.toml:2: no setting 'heartbeats'; did you mean 'heartbeat_s'?"),
        (
            HOUSE + "heartbeat_s = -1",
            "house.toml:2: 'heartbeat_s' must be 0 for none, or at least 0.1 and at most 86400 (a",
        ),
        (HOUSE + "[broker]\n\nport = 0", "house.toml:4: 'port' must be at least 1 and at most 65535, not 0"),
        (HOUSE + "[broker]\nport = 1.5", "house.toml:3: 'port' must be a whole number, not 1.5"),
        (
            HOUSE + "[broker]\nhost = []",
            "house.toml:3: 'host' must be a list that is not empty, not []",
        ),
        (HOUSE + '[broker]\nhost = "mqtt://pi"', "house.toml:3: 'host' must be a host name or address alone, without"),
        (HOUSE + '[broker]\nhost = "pi:1883"', "house.toml:3: 'host' must be a host name or address alone, without"),
        (
            HOUSE + '[broker]\nhost = "192.168.1.10:1883"',
            "house.toml:3: 'host' must be a host name or address alone, without scheme or port (port = 1883), not",
        ),
        (HOUSE + '[broker]\nhost = "[fd00::1]:8883"', "house.toml:3: 'host' must be a host name or address alone"),
        (HOUSE + '[broker]\nhost = "fd00::1:1883:"', "house.toml:3: 'host' must be a host name or address alone"),
        (HOUSE + '[broker]\nhost = "192.168.1.300"', "house.toml:3: 'host' must be a host name, or an IPv4 address"),
        (HOUSE + '[broker]\nhost = "1883"', "house.toml:3: 'host' must be a host name, or an IPv4 address"),
        (HOUSE + '[broker]\nhost = "-h"', "house.toml:3: 'host' must be a host name or address: letters, digits"),
        (HOUSE + '[broker]\nhost = ["pi", "Pi"]', "house.toml:3: 'host' must be a list that names no host twice, not"),
        (HOUSE + "heartbeat_s = 1e9", "house.toml:2: 'heartbeat_s' must be 0 for none, or at least 0.1 and at most"),
        (HOUSE + "[supervisor]\nlog_mb = 1e9", "house.toml:3: 'log_mb' must be at least 0.001 and at most 10000"),
        (HOUSE + "heartbeat_s = 1e-9", "house.toml:2: 'heartbeat_s' must be 0 for none, or at least 0.1"),
        (HOUSE + "[broker]\nprotocol = 5", 'house.toml:3: \'protocol\' must be "5" or "3.1.1", not 5'),
        (HOUSE + "[broker]\nkeepalive_s = 1", "house.toml:3: 'keepalive_s' must be at least 2 and"),
        (HOUSE + '[log]\nlevel = "loud"', 'house.toml:3: \'level\' must be "debug" or "info" or "warning" or "error"'),
        (HOUSE + "[brokr]", "house.toml:2: no setting 'brokr'; did you mean 'broker'?"),
        ("broker = 3\n" + HOUSE, "house.toml:1: 'broker' must be a section, [broker]"),
        (HOUSE + '[broker]\npassword_file = "none"', "house.toml:3: 'password_file' "),
        (
            HOUSE + '[broker]\nca_file = "none"',
            "house.toml:3: 'ca_file' must be a readable file (No such file or directory)",
        ),
        (HOUSE + '[broker]\nca_file = "house.toml"', "house.toml:3: 'ca_file' must be a PEM certificate, not \"house"),
        ("group = ", "house.toml:1: not TOML: Invalid value; there is no value after ="),
    ],
)
def test_the_house_file(house: House, text: str, fault: str) -> None:
    found = faults(house, house_toml=text)
    assert len(found) == 1
    assert found[0].startswith(fault)


@pytest.mark.parametrize(
    "host", ["pi", "pi.local.", "my_pi-2", "192.168.1.10", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1", "x1.2y"]
)
def test_a_host(house: House, host: str) -> None:
    assert faults(house, HOUSE + f'[broker]\nhost = "{host}"') == []


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ("x = True", 'Invalid value; write true, or "True" for text'),
        ("x = False # off", 'Invalid value; write false, or "False" for text'),
        ("x = yes", 'Invalid value; write true, or "yes" for text'),
        ("x = None", "Invalid value; remove the line to use the default"),
        ("x = hello world", 'Invalid value; text needs quotes: "hello world"'),
        ("x = 192.168.1.10", "Expected newline or end of document after a statement; text needs quotes: "),
        ("x = 400,0", "Expected newline or end of document after a statement; use a decimal point: 400.0"),
        (
            "x = 017",
            "Expected newline or end of document after a statement; write the number without leading zeros: 17",
        ),
        ("x = .5", "Invalid value; write digits on both sides of the point: 0.5"),
        ("x = 5s", "Expected newline or end of document after a statement; write the number without its unit: 5"),
        ("x = 1 000", "Expected newline or end of document after a statement; write the number without spaces: 1000"),
        ("x = 17;", "Expected newline or end of document after a statement; remove the ; at its end"),
        ("x: 17", "Expected '=' after a key in a key/value pair; use = instead of :"),
        ("// x", "Invalid statement; a comment begins with #"),
        ('x = "open', "Illegal character '\\n'; the closing \" is missing"),
        (r'x = "C:\work"', "Unescaped '\\' in a string; in text between double quotes write"),
        ("x = \u201chello\u201d", 'Invalid value; use straight quotes, "…", instead of \u201c'),
        ('x =\u00a0"hello"', "Invalid value; character 4 is U+00A0 (no-break space): replace it by an ordinary space"),
        ('x = "a"\nx = "b"', "Cannot overwrite a value; it is set twice"),
    ],
)
def test_a_row_that_is_not_toml_is_read_as_it_was_meant(house: House, row: str, hint: str) -> None:
    (found,) = faults(house, devices={"cellar": CELLAR + row + "\n"})
    assert found.partition(": not TOML: ")[2].startswith(hint)


def test_the_mark_of_an_editor_on_windows_is_no_part_of_a_file(house: House) -> None:
    mark = "\ufeff"
    (house.folder / "secret").write_text(f"{mark}opensesame\r\n")
    assert faults(house, f'{mark}{HOUSE}[broker]\npassword_file = "secret"\n', {"cellar": mark + CELLAR}) == []
    assert read_password(house.folder / "secret") == "opensesame"
    (house.folder / "devices" / "cellar.toml").write_bytes(CELLAR.encode("utf-16"))
    (house.folder / "devices" / "attic.toml").write_bytes(CELLAR.encode() + "# wärmer".encode("latin-1"))
    with pytest.raises(SettingsError) as raised:
        check(house.folder)
    assert [str(fault) for fault in raised.value.faults] == [
        "devices/attic.toml:3: not UTF-8 text: invalid continuation byte; save the file as UTF-8",
        "devices/cellar.toml:1: not UTF-8 text: it is UTF-16, as some editors call Unicode; save the file as UTF-8",
    ]


@pytest.mark.parametrize("stem", ["a b", "a+b", "ä", "x" * 65, "admin", "recorder", "eyes"])
def test_a_file_name_that_is_no_sensor_id(house: House, stem: str) -> None:
    found = faults(house, devices={stem: CELLAR})
    assert len(found) == 1
    assert found[0].startswith(f"devices/{stem}.toml:1: the sensor id ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        (b"\xff", "is not UTF-8 text: invalid start byte"),
        ("secret\n".encode("utf-16"), "is not UTF-8 text: it is UTF-16"),
        (b"x" * 65_536, "has more than"),
        (None, "cannot be read: Is a"),
    ],
)
def test_a_password_file_that_holds_none(house: House, content: str | bytes | None, why: str) -> None:
    file = house.folder / "cellar.password"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = faults(house, HOUSE + '[broker]\npassword_file = "{sensor}.password"\n')
    assert found == [f"house.toml:3: 'password_file' {file} {why}{found[0].split(why)[1]}"]
    assert found[0].endswith("(for cellar)")


def test_what_is_not_there(tmp_path: Path, house: House) -> None:
    with pytest.raises(
        SettingsError,
        match=r"devices:1: no such folder, or no permission to read it\nhouse.toml:1: cannot be read: No such file",
    ):
        check(tmp_path)
    (house.folder / "house.toml").write_text(HOUSE)
    with pytest.raises(SettingsError, match=r"no device; `penates scan` shows what is connected"):
        check(house.folder)


@pytest.mark.timeout(30)
def test_thousands_of_unknown_settings_take_no_minutes(house: House) -> None:
    """The line of each was once looked for through the whole file."""
    assert len(faults(house, devices={"cellar": CELLAR + "".join(f"k{number}=1\n" for number in range(6000))})) == 6000


@pytest.mark.timeout(30)
def test_a_row_of_brackets_takes_no_minutes(house: House) -> None:
    text = f'kind = "thermometer"\nserial = """\n{"[" * 60_000}\n"""\nseril = 1'
    assert faults(house, devices={"cellar": text}) == [
        "devices/cellar.toml:5: no setting 'seril'; did you mean 'serial'?"
    ]


def test_a_module_that_ends_python_ends_only_itself(house: House) -> None:
    (house.folder / "ends.py").write_text("raise SystemExit(3)\n")
    assert faults(house, devices={"own": 'kind = "ends.Own"\n'}) == [
        "devices/own.toml:1: kind 'ends.Own' cannot be loaded: SystemExit: 3"
    ]


def test_what_stands_in_a_file_cannot_forge_a_fault(house: House) -> None:
    """Nor can its name."""
    found = faults(house, devices={"a\nb": CELLAR, "c": CELLAR + 'group = "\\n\\u001b[2J"\n'})
    assert len(found) == 2
    assert all(fault.isprintable() for fault in found)


OWN = """
from dataclasses import dataclass
from bootstrap.device import Device, Measure

@dataclass(kw_only=True)
class Own(Device):
    level: int = 1
    {name} = Measure("V")

    def read(self) -> dict[str, float]:
        return {{}}

    def __post_init__(self) -> None:
        if self.level > 9:
            raise ValueError("'level' has no meaning above 9")
"""


def own_kind(house: House, module: str, name: str) -> str:
    (house.folder / f"{module}.py").write_text(OWN.format(name=name))
    return f'kind = "{module}.Own"\n'


@pytest.mark.parametrize("name", ["reading", "time", "run", "seq"])
def test_a_reserved_measure_name(house: House, name: str) -> None:
    found = faults(house, devices={"own": own_kind(house, f"reserved_{name}", name)})
    assert len(found) == 1
    assert found[0].startswith(f"devices/own.toml:1: kind 'reserved_{name}.Own' cannot be loaded: TypeError: Own: ")
    assert f"the measure name {name!r} is reserved; choose another" in found[0]


def test_a_measure_name_that_is_no_id_and_a_setting_only_the_device_can_judge(house: House) -> None:
    assert "the measure name 'größe' must be" in faults(house, devices={"own": own_kind(house, "umlaut", "größe")})[0]
    found = faults(house, devices={"own": own_kind(house, "judge", "voltage") + "level = 10\n"})
    assert found == ["devices/own.toml:1: 'level' has no meaning above 9"]
    assert faults(house, devices={"own": own_kind(house, "judge", "voltage") + "level = 9\n"}) == []


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("", "declares no Measure"),
        ("v = Measure('V')", "has no read()"),
        ("v = Measure('V')\n    def read(self): return {}\n    x: dict = None", "cannot be created: KeyError"),
        ("v = Measure('V')\n    def read(self): return {}\n    x: 'Nowhere' = None", "cannot be created: NameError"),
        (
            "v = Measure('V')\n    def read(self): return {}\n    def __post_init__(self): 1 + ''",
            "cannot be created: TypeError",
        ),
    ],
)
def test_a_class_of_ones_own_that_cannot_work(house: House, lines: str, fault: str) -> None:
    head = "from dataclasses import dataclass\nfrom bootstrap.device import Device, Measure\n@dataclass(kw_only=True)\n"
    module = f"own_{abs(hash(lines))}"
    (house.folder / f"{module}.py").write_text(f"{head}class Own(Device):\n    ...\n    {lines}\n")
    (found,) = faults(
        house, devices={"own": f'kind = "{module}.Own"\nx = 1\n' if "x:" in lines else f'kind = "{module}.Own"\n'}
    )
    assert fault in found


def test_a_class_that_is_no_dataclass_or_no_device(house: House) -> None:
    (house.folder / "bare.py").write_text(
        "from bootstrap.device import Device\nclass Own(Device):\n    pin: int\nclass Other:\n    pass\n"
    )
    assert "put @dataclass(kw_only=True) above" in faults(house, devices={"own": 'kind = "bare.Own"\n'})[0]
    assert "Other in bare is not a Device" in faults(house, devices={"own": 'kind = "bare.Other"\n'})[0]
    assert "Gone in bare is not there" in faults(house, devices={"own": 'kind = "bare.Gone"\n'})[0]


def test_two_devices_on_one_line(house: House) -> None:
    found = faults(house, devices={"a": 'kind = "door"\npin = 17\n', "b": '\nkind = "lamp"\npin = 17\n'})
    assert found == ["devices/b.toml:3: GPIO17 is already the pin of a"]
    assert faults(house, devices={"b": 'kind = "lamp"\npin = 18\n'}) == []


PLUGGED = """
from dataclasses import dataclass, field
from bootstrap.device import Device, Measure, Pin
from bootstrap.needs import I2CAddress, I2CBus, SerialPort, SpiDevice, TopicFilter

@dataclass(kw_only=True)
class Fan(Device):
    relay: Pin | None = None
    more: list[Pin] = field(default_factory=list)
    port: SerialPort | None = None
    chip: SpiDevice | None = None
    bus: I2CBus = 1
    address: I2CAddress | None = None
    listens: TopicFilter = "cm/#"
    level = Measure("1")

    def read(self):
        return {}

@dataclass(kw_only=True)
class Page(Fan):
    sees_all = True
"""


@pytest.mark.parametrize(
    ("one", "other", "fault"),
    [
        ("relay = 17", 'relay = "GPIO17"', "GPIO17 is already the relay of a"),
        ("relay = 17", 'more = [5, "BOARD11"]', "GPIO17 is already the relay of a"),
        ("", "more = [5, 5]", "GPIO5 is already the more of b"),
        ('chip = "0.1"', 'chip = "0.1"', "/dev/spidev0.1 is already the chip of a"),
        ('chip = "0.1"', 'chip = "0.0"', ""),
        ("address = 0x76", "address = 0x76", "address 0x76 on i2c-1 is already the address of a"),
        ("address = 0x76", "address = 0x76\nbus = 2", ""),
        ("address = 0x76", "address = 0x77", ""),
        ('port = "tty0"', 'port = "by-id"', "{folder}/by-id is already the port of a"),
        ('port = "tty0"', 'port = "tty1"', ""),
    ],
)
def test_two_devices_share_nothing_by_whatever_name_they_know_it(
    house: House, one: str, other: str, fault: str
) -> None:
    (house.folder / "fan.py").write_text(PLUGGED)
    (house.folder / "by-id").symlink_to("tty0")
    devices = {"a": f'kind = "fan.Fan"\n{one}\n', "b": f'kind = "fan.Fan"\n{other}\n'}
    wanted = [f"devices/b.toml:2: {fault.format(folder=house.folder)}"] if fault else []
    assert faults(house, devices=devices) == wanted


@pytest.mark.parametrize("everything", ["#", "+/#", "+/+/+/+"])
def test_who_may_see_everything_declares_it(house: House, everything: str) -> None:
    (house.folder / "fan.py").write_text(PLUGGED)
    devices = {kind: f'kind = "fan.{kind}"\nlistens = "{everything}"\n' for kind in ("Fan", "Page")}
    why = f'a filter that names a level: only the user eyes may see everything, not "{everything}"'
    assert faults(house, devices=devices) == [f"devices/Fan.toml:2: 'listens' must be {why}"]


def test_two_devices_on_one_probe(house: House) -> None:
    probe = 'kind = "thermometer"\nserial = "28-0316a2795fff"\nbus = "{}"\n'
    devices = {"a": probe.format("w1"), "b": probe.format("./w1/../w1"), "c": probe.format("w2")}
    assert faults(house, devices=devices) == ["devices/b.toml:2: 28-0316a2795fff is already the serial of a"]


def test_a_device_on_the_line_of_the_1_wire_bus(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.txt"
    monkeypatch.setattr(boot_config, "FILES", (tmp_path / "nowhere", config))
    devices = {"cellar": CELLAR, "door": 'kind = "door"\npin = 4\n', "lamp": 'kind = "lamp"\npin = 17\n'}
    on_4 = "devices/door.toml:2: GPIO4 is already the 1-Wire bus of cellar (w1-gpio)"
    assert faults(house, devices=devices) == [on_4]
    config.write_text("dtoverlay=w1-gpio,gpiopin=17\n")
    assert faults(house, devices=devices) == [on_4.replace("door", "lamp").replace("GPIO4", "GPIO17")]
    config.write_text("#dtoverlay=w1-gpio\n")  # a bus that needs no line, such as one on USB
    assert faults(house, devices=devices) == []


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("devices/frontdoor.tml", "a device's file ends in .toml; rename it to frontdoor.toml, or move it elsewhere"),
        ("devices/frontdoor.TOML", "a device's file ends in .toml; rename it to frontdoor.toml, or move it elsewhere"),
        ("devices/frontdoor.toml.txt", "a device's file ends in .toml; rename it to frontdoor.toml, or move it"),
        ("devices/frontdoor", "a device's file ends in .toml; rename it to frontdoor.toml, or move it elsewhere"),
        ("devices/old/frontdoor.toml", "it is a folder; move its files to devices"),
        ("frontdoor.toml", "a device's file belongs in devices; move it there"),
    ],
)
def test_a_file_that_nothing_would_read(house: House, file: str, fault: str) -> None:
    (house.folder / "devices" / "old").mkdir()
    (house.folder / file).write_text('kind = "door"\npin = 17\n')
    (house.folder / "other.toml").write_text("x = 1\n")  # such as one that a class of the user's own reads
    (found,) = faults(house)
    place = "devices/old" if "old" in file else file
    assert found.startswith(f"{place}:1: ignored: ")
    assert fault in found


def test_a_house_by_another_name(house: House) -> None:
    (house.folder / "House.toml").write_text(HOUSE)
    with pytest.raises(SettingsError, match=r"House.toml:1: ignored: rename it to house.toml"):
        check(house.folder)


def test_a_sensor_id_of_its_own(house: House) -> None:
    text = 'kind = "pi"\n'
    faults(house, devices={"machine": text, "other": f'{text}sensor = "attic-pi"\n'})
    ids = {settings.topics.sensor for settings in check(house.folder)}
    assert ids == {socket.gethostname().split(".")[0], "attic-pi"}
    assert faults(house, devices={"third": f'{text}sensor = "attic-pi"\n'}) == [
        "devices/third.toml:1: cm/attic-pi is already defined in devices/other.toml; set another sensor = …"
    ]
    assert faults(house, devices={"third": f'{text}sensor = "a b"\n'})[0].startswith("devices/third.toml:2: 'sensor'")


def test_group_of_one_device(house: House) -> None:
    faults(house, devices={"cellar": CELLAR + 'group = "garden"\n', "attic": 'kind = "pi"\nsensor = "attic"\n'})
    assert [settings.topics.client_id for settings in check(house.folder)] == ["cm/attic", "garden/cellar"]


STRANGER = 4711
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@as_root
@pytest.mark.parametrize("given_away", ["", "house.toml", "devices", "devices/cellar.toml", "mine.py", "lib/mine.py"])
def test_what_a_stranger_has_put_here_is_not_used_unasked(
    house: House, given_away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write(1)
    house.device("cellar", CELLAR)
    (house.folder / "lib").mkdir()
    for module in ("mine.py", "lib/mine.py"):
        (house.folder / module).write_text("raise SystemExit('this must not run')\n")
    house.folder.rename(house.folder.parent / "config")
    monkeypatch.chdir(house.folder.parent)
    monkeypatch.setattr(loader, "DEFAULT_FOLDERS", (Path("config"),))
    assert loader.folder_or_default(None) == Path("config")
    os.chown(Path("config") / given_away, STRANGER, STRANGER)
    wanted = f"{Path('config') / given_away}:1: belongs to the user {STRANGER}, and settings may run code; "
    for refused in (loader.usual_folder, lambda: loader.folder_or_default(None)):
        with pytest.raises(SettingsError) as error:
            refused()
        assert str(error.value) == f"{wanted}if you trust it, add --config config"
    assert loader.folder_or_default(Path("config")) == Path("config")
    monkeypatch.setenv("SUDO_UID", str(STRANGER))
    assert loader.folder_or_default(None) == Path("config")


@as_root
def test_a_link_that_a_stranger_has_put_here_is_not_followed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write(1)
    monkeypatch.chdir(house.folder.parent)
    monkeypatch.setattr(loader, "DEFAULT_FOLDERS", (Path("config"),))
    Path("config").symlink_to(house.folder)
    assert loader.usual_folder() == Path("config")
    os.chown("config", STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(SettingsError, match="config:1: belongs to the user"):
        loader.usual_folder()


@pytest.mark.parametrize(
    ("start", "setting"),
    [
        (CELLAR, 'bus = "~/w1"'),
        ('kind = "recorder"\n\n', 'file = "~/history.sqlite"'),
        ('kind = "recorder"\n\n', 'file = "~penates/history.sqlite"'),
        ('kind = "recorder"\n\n', 'file = "$HOME/history.sqlite"'),
    ],
)
def test_a_path_that_only_a_shell_understands(house: House, start: str, setting: str) -> None:
    name, value = setting.split(" = ")
    why = (
        f"'{name}' must be the full path, as nothing replaces {value[1]!r} (a service has no home folder), not {value}"
    )
    assert faults(house, devices={"cellar": start + setting}) == [f"devices/cellar.toml:3: {why}"]


@pytest.mark.parametrize(
    "setting", ['state = "~/state"', '[broker]\npassword_file = "~/{sensor}"', '[broker]\nca_file = "~/ca"']
)
def test_a_path_of_the_house_that_only_a_shell_understands(house: House, setting: str) -> None:
    (found,) = faults(house, house_toml=f"{HOUSE}{setting}")
    assert "must be the full path, as nothing replaces '~'" in found
