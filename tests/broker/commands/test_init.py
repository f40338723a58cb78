"""From nothing to a reading on the broker."""

from pathlib import Path

from support.kernel_files import KernelFiles
from support.world import Broker, Eyes, House

SERIAL = "28-0316a2795fff"


def test_an_empty_folder_leads_to_a_reading(house: House, broker: Broker, eyes: Eyes, tmp_path: Path) -> None:
    KernelFiles(tmp_path / "machine/sys").one_wire(SERIAL, "21500")
    words = ["--yes", "--broker", f"127.0.0.1:{broker.port}", "--root", str(tmp_path / "machine")]
    done = house.penates("init", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"The broker 127.0.0.1:{broker.port} answers.\n" in done.stdout
    assert house.penates("check").stdout.endswith("3 devices, no faults\n")
    house.run("thermometer")
    eyes.wait_value("home/thermometer/data/temperature", 21.5)


def test_a_broker_that_wants_a_password_is_told_of(house: House, tmp_path: Path) -> None:
    strict = Broker(tmp_path / "strict", "allow_anonymous false").start()
    done = house.penates("init", "--no-scan", "--broker", f"127.0.0.1:{strict.port}")
    strict.stop()
    assert done.returncode == 0
    assert f"refused us: Not authorized. [broker] in {house.folder}/house.toml says where it is" in done.stdout
