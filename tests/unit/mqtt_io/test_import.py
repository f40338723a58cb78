"""`penates import --from mqtt-io`: what has a counterpart becomes a device file, all else is named with its line."""

import sys
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from bootstrap.errors import Fatal
from penates.__main__ import main
from penates.mqtt_io.yaml_lines import read_yaml
from support.paths import ROOT

EXAMPLE = ROOT / "tests" / "support" / "mqtt_io.yml"
HOUSE = 'group = "cm"\n[broker]\nhost = "127.0.0.1"\n'
BROKEN = {
    "a: [1": ":1: not YAML: expected ',' or ']'",
    "- 1": ":1: not a configuration",
    "": ":1: not a configuration",
    "a: !!python/name:os.system x": ":1: not YAML: could not determine a constructor",
    "a: &a [*a, *a]": "cannot be read",
    "\n".join(
        ["a0: &a0 [1, 1]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))]
    ): "20000 values",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "devices").mkdir()
    (tmp_path / "house.toml").write_text(HOUSE)
    return tmp_path


def imported(house: Path, text: str | None = None, *options: str) -> int:
    file = EXAMPLE
    if text is not None:
        file = house / "config.yml"
        file.write_text(text)
    return main(["import", "--from", "mqtt-io", str(file), "--config", str(house), *options])


def test_each_part_becomes_a_device(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(house) == 1
    configuration = Configuration(house)
    found = configuration.all()
    assert configuration.faults == []
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {
        "bath": "climate",
        "battery": "adc",
        "boiler": "thermometer",
        "float": "contact",
        "front-door": "door",
        "gate": "relay",
        "heating": "output",
        "outside": "climate",
        "pir": "motion",
        "soil": "adc",
    }
    files = {name: (house / "devices" / f"{name}.toml").read_text().splitlines() for name in found}
    expected = {
        "bath": ['chip = "BME280 at 0x77"', "every_s = 30", "[temperature]", "[humidity]", "round = 1"],
        "outside": ['chip = "AM2302 at GPIO18"'],
        "boiler": ['serial = "28-0316a2795fff"', "every_s = 15"],
        "battery": ['chip = "ADS1115 at 0x48"', "channel = 1"],
        "soil": ['chip = "MCP3008 at spi0.0"', "channel = 3"],
        "front-door": ["pin = 17", "bounce_s = 0.08"],
        "float": ['pin = "GPIO27"', 'true_when = "closed"'],
        "heating": ["pin = 22", "active_high = false"],
        "gate": ["pin = 5", "pulse_s = 0.3"],
    }
    assert {name: [row for row in rows if row not in files[name]] for name, rows in expected.items()} == {
        name: [] for name in expected
    }
    assert "home/hall/sensor/bath_humidity becomes cm/bath/data/humidity" in capsys.readouterr().out


def test_what_has_no_counterpart_is_named_with_its_line(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(house)
    said = capsys.readouterr()
    rows = EXAMPLE.read_text().splitlines()
    for named, row in {
        "gpio module mcp23017": "    module: mcp23017",
        "digital input bell: no counterpart for its module 'expander'": "  - name: bell",
        "sensor module as3935 (strikes): no counterpart": "    module: as3935",
        "payloads full and empty": "    on_payload: full",
        "interrupt rising": "    interrupt: rising",
        "name 'Front Door'": "      name: Front Door",
        "mqtt-io switches it on when it starts": "    inverted: yes",
        "logging: no counterpart": "  version: 1",
        "mqtt: tls: no counterpart": "  tls:",
    }.items():
        line = next(line for line in said.err.splitlines() if named in line)
        assert rows[int(line.split(":")[1]) - 1] == row, named
    assert "hush" not in said.out + said.err


def test_no_file_that_exists_is_changed(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = house / "devices" / "pir.toml"
    mine.write_text('kind = "motion"\npin = 22\n')
    assert imported(house) == 1
    said = capsys.readouterr().err
    assert "pir: devices/pir.toml already exists and is left as it is" in said
    assert "heating: no file was written, as it would have a fault: " in said  # it is on the same line
    assert mine.read_text() == 'kind = "motion"\npin = 22\n'
    assert not (house / "devices" / "heating.toml").exists()
    before = sorted((house / "devices").iterdir())
    assert imported(house) == 1
    assert sorted((house / "devices").iterdir()) == before


def test_a_dry_run_writes_nothing(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(house, None, "--dry-run") == 0
    assert [*(house / "devices").iterdir()] == []
    assert "# devices/bath.toml, which would be written" in capsys.readouterr().out
    assert main(["import", str(EXAMPLE), "--dry-run", "--config", str(house)]) == 78


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_configuration_is_refused(house: Path, text: str) -> None:
    file = house / "config.yml"
    file.write_text(text)
    with pytest.raises(Fatal) as refused:
        read_yaml(file)
    assert BROKEN[text] in str(refused.value)
    assert imported(house, text) == 78


def test_a_configuration_without_parts_is_none_to_remark_on(house: Path) -> None:
    assert imported(house, "mqtt: {topic_prefix: home}\n") == 0


def test_without_pyyaml_the_command_that_installs_it_is_named(
    house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert imported(house) == 1
    assert "-m pip install pyyaml, or sudo apt install python3-yaml" in capsys.readouterr().err
