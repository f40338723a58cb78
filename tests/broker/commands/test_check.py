"""`penates check` and `penates run`: every fault of a configuration is said, and nothing is opened."""

import os
import stat

import pytest

from support.configuration import CELLAR, HOUSE, faults
from support.radio import radio
from support.world import House


def test_nothing_wrong(house: House) -> None:
    assert faults(house) == []
    checked = house.penates("check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "cm/cellar: thermometer" in checked.stdout


@pytest.mark.parametrize(("share", "warned"), [("history", True), ("6ff5c1f3c5a94d0d", False)])
def test_a_share_that_others_can_guess_is_named_and_no_fault(house: House, share: str, warned: bool) -> None:
    house.write(1883)
    house.device("archive", f'kind = "recorder"\nshare = "{share}"\n')
    done = house.penates("check")
    assert done.returncode == 0, done.stderr
    assert ("devices/archive.toml: whoever guesses the name" in done.stderr) == warned


def test_a_file_that_is_set_aside_is_named_and_no_fault(house: House) -> None:
    faults(house)
    for name in ("lamp.toml.bak", "lamp.toml~", "README.md", ".hidden"):
        (house.folder / "devices" / name).write_text('kind = "lamp"\n')
    checked = house.penates("check")
    ignored = "ignored: the name of a device's file ends in .toml"
    assert (checked.returncode, checked.stderr.splitlines()) == (
        0,
        [f"devices/lamp.toml.bak:1: {ignored}", f"devices/lamp.toml~:1: {ignored}"],
    )


def test_what_is_run_by_a_name_that_is_misspelt_in_the_folder_is_found_there(house: House) -> None:
    faults(house)
    (house.folder / "devices" / "lamp.tml").write_text('kind = "lamp"\npin = 4\n')
    run = house.penates("run", "lamp")
    assert run.stderr.startswith("devices/lamp.toml:1: not there; devices/lamp.tml is ignored: the name of a device's")


def test_a_pipe_for_a_file_hangs_nobody(house: House) -> None:
    os.mkfifo(house.folder / "devices" / "cellar.toml")
    (house.folder / "devices" / "lamp.toml").write_text('kind = "lamp"\npin = 4\n')
    os.mkfifo(house.folder / "lamp.password")
    (house.folder / "house.toml").write_text(HOUSE + '[broker]\npassword_file = "{sensor}.password"\n')
    checked = house.penates("check")
    why = "cannot be read: it is not a regular file"
    assert checked.stderr.splitlines() == [
        f"devices/cellar.toml:1: {why}",
        f"house.toml:3: 'password_file' {house.folder}/lamp.password {why} (for lamp)",
    ]


def test_all_in_one_run_without_a_traceback(house: House) -> None:
    (house.folder / "house.toml").write_text(
        'group = "c m"\n[broker]\nprot = 1\npassword_file = "none"\nca_file = "house.toml"\n'
    )
    house.device("a+b", CELLAR)
    house.device("bad", "kind = \n")
    house.device("cellar", 'kind = "thermometer"\nserail = "28-1"\n')
    house.device("nokind", 'kind = "nokind"\n')
    checked = house.penates("check")
    assert checked.returncode == 78
    assert checked.stdout == ""
    lines = checked.stderr.splitlines()
    places = [line.split(": ")[0] for line in lines]
    assert places == [
        "devices/a+b.toml:1",
        "devices/bad.toml:1",
        "devices/cellar.toml:2",
        "devices/nokind.toml:1",
        "house.toml:1",
        "house.toml:3",
        "house.toml:4",
        "house.toml:4",
        "house.toml:4",
        "house.toml:5",
    ]


def test_run_says_the_same_and_opens_nothing(house: House) -> None:
    house.device("cellar", "kind = 'thermometer'\n")
    (house.folder / "house.toml").write_text(HOUSE)
    run = house.penates("run", "cellar")
    assert (run.returncode, run.stderr) == (78, "devices/cellar.toml:1: 'serial' is missing\n")
    assert not (house.folder / "state").exists()
    missing = house.penates("run", "celar")
    assert (missing.returncode, missing.stderr) == (78, "devices/celar.toml:1: not there; did you mean 'cellar'?\n")


def test_a_fault_in_one_device_is_no_other_devices_fault(house: House) -> None:
    house.write(1)
    house.thermometer()
    house.device("attic", "kind = 'thermometre'\n")
    house.run().wait_log("debug cm/cellar: read (")


def test_check_opens_nothing(house: House) -> None:
    """No lock, no state, no broker; and what it cannot write does not matter."""
    house.write(1)
    house.thermometer()
    house.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert house.penates("check").returncode == 0
    assert sorted(path.name for path in house.folder.iterdir()) == ["bus", "devices", "house.toml"]


def test_one_device_alone(house: House) -> None:
    faults(house, devices={"cellar": CELLAR, "attic": "kind = 1\n"})
    checked = house.penates("check", "cellar")
    assert (checked.returncode, checked.stdout.splitlines()[0]) == (0, "cm/cellar: thermometer")
    checked = house.penates("check", "cellar", "attic", "loft")
    assert checked.returncode == 78
    assert [line.split(":")[0] for line in checked.stderr.splitlines()] == ["devices/attic.toml", "devices/loft.toml"]


def test_a_gateway_is_usable_without_a_sensor_that_has_a_fault(house: House) -> None:
    """So a unit's reload goes on, and only that sensor stays as it was."""
    house.write(1)
    house.device("radio", radio(2) + "\n[sensors.s3]\nidd = 3\n")
    wrong = ": no setting 'idd'"
    refused = house.penates("check", "radio")
    assert (refused.returncode, wrong in refused.stderr) == (78, True)
    usable = house.penates("check", "radio", "--usable")
    assert (usable.returncode, wrong in usable.stderr) == (0, True)
    assert usable.stdout.splitlines()[-1] == f"{house.folder}: 1 device, 1 fault"
    house.device("radio", "aair = 1\n" + radio(2) + "\n[sensors.s3]\nidd = 3\n")
    assert house.penates("check", "radio", "--usable").returncode == 78


def test_secrets_are_left_alone_where_one_may_not_read_them(house: House) -> None:
    faults(house, HOUSE + '[broker]\npassword_file = "secrets/{sensor}"\n')
    assert "'password_file'" in house.penates("check", "cellar").stderr
    assert house.penates("check", "cellar", "--no-secrets").returncode == 0


def test_a_name_that_is_no_file(house: House) -> None:
    faults(house)
    for name in ("x" * 300, "../house", "", "cellar.toml"):
        run = house.penates("run", name)
        assert run.returncode == 78
        assert run.stderr.startswith(f"devices/{name}.toml:1: not there; ")
    gone = house.penates("check", "--config", "/no/such")
    assert (gone.returncode, gone.stderr) == (78, "/no/such:1: no such folder\n")
