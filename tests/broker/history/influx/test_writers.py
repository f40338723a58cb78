"""The settings of a store, and what it loads."""

import subprocess
import sys

import pytest

from bootstrap.history.stores import CLIENT
from support.world import House


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        (['store = "influx"'], [(2, '\'store\' must be "sqlite" or "influxdb" or "influxdb1"')]),
        (['store = "influxdb1"', 'url = "localhost:8086"'], [(3, "'url' must be http://HOST:PORT")]),
        (['store = "influxdb1"', 'url = "http://ali:sesame@pi"'], [(3, "without user and password")]),
        (['store = "influxdb1"', 'url = "http://192.168.1.300:8086"'], [(3, "'url' must be http://HOST:PORT")]),
        (['store = "influxdb1"', 'url = "http://pi:99999"'], [(3, "'url' must be http://HOST:PORT")]),
        (['store = "influxdb1"', 'url = "http://pi/?a=b"'], [(3, "'url' must be http://HOST:PORT")]),
        (['store = "influxdb1"', 'url = "http://pi\\r\\n"'], [(3, "'url' must be http://HOST:PORT")]),
        (['store = "influxdb1"', "database = 'a\"; DROP'"], [(3, "'database' must be printable, without quotes")]),
        (['store = "influxdb"', 'database = "../past"'], [(3, "'database' must be printable, without quotes")]),
        (['url = "http://pi:8086"'], [(2, '\'url\' is for store = "influxdb" or "influxdb1", and')]),
        (
            ['store = "influxdb"', 'file = "a"', 'username = "ali"'],
            [(3, "'file' is for store = \"sqlite\""), (4, "'username' is for store = \"influxdb1\"")],
        ),
        (['store = "influxdb"', 'token_file = "none"'], [(3, "cannot be read: No such file")]),
        (['store = "influxdb1"', 'ca_file = "house.toml"'], [(3, "'ca_file' must be a PEM certificate")]),
        (['store = "influxdb1"', 'username = "ali"'], [(3, "'username' needs 'password_file' as well")]),
    ],
)
def test_settings_that_cannot_be_used(house: House, lines: list[str], faults: list[tuple[int, str]]) -> None:
    house.write(1883)
    house.device("recorder", "\n".join(['kind = "recorder"', *lines]) + "\n")
    done = house.penates("check")
    assert done.returncode == 78
    said = [row for row in (done.stdout + done.stderr).splitlines() if row.startswith("devices/")]
    assert len(said) == len(faults)
    for row, (line, text) in zip(said, faults, strict=True):
        assert row.startswith(f"devices/recorder.toml:{line}: ")
        assert text in row


@pytest.mark.exact
def test_only_the_store_in_use_is_loaded() -> None:
    asked = (
        "import sys; from pathlib import Path; from bootstrap.history.stores import StoreSettings;"
        "StoreSettings(store=sys.argv[1]).open_store(Path('/nowhere'));"
        f"print(*(name for name in ('{CLIENT}', 'http.client', 'sqlite3') if name in sys.modules))"
    )
    for store, loaded in (("influxdb1", {"http.client"}), ("influxdb", {CLIENT, "http.client"})):
        done = subprocess.run([sys.executable, "-c", asked, store], capture_output=True, text=True, check=True)
        assert {*done.stdout.split()} == loaded
