"""Where the Debian package takes the place of what scripts/install has put on a machine, and is removed again."""

from pathlib import Path

from penates.files.install_paths import PACKAGED, PACKAGED_UNITS, UNITS
from penates.installer import unit_files
from support.machine import Machine


def put_package(machine: Machine) -> set[str]:
    """What the package brings besides the programme; return where its units were until now."""
    machine.write(str(PACKAGED), "")
    units = [one for one in unit_files.shipped(PACKAGED_UNITS) + unit_files.for_broker(PACKAGED_UNITS) if one.content]
    for one in units:
        machine.write(str(one.path), (one.content or b"").decode())
    return {str(UNITS / one.path.relative_to(PACKAGED_UNITS)) for one in units}


def test_its_units_replace_ours_and_nothing_restarts(installed: Machine) -> None:
    ours = put_package(installed)
    assert ours <= installed.files()
    installed.calls()
    installed.penates("install")
    assert not ours & installed.files()
    assert not installed.file("/usr/local/bin/penates").is_symlink()
    assert installed.calls() == ["daemon-reload"]
    assert installed.penates("install").startswith("nothing to do")


def test_before_it_is_removed_all_goes_but_its_own_files(installed: Machine) -> None:
    put_package(installed)
    installed.penates("install")
    installed.run("gpasswd", "--delete", "pat", "penates")  # so `userdel` also deletes the group
    done = installed.penates("uninstall", "--keep-packages")
    assert done.endswith("done; kept: /etc/penates\n")
    assert "apt-get" not in done
    assert {"disable --now penates.target", "disable --now penates-certs.timer"} <= {*installed.calls()}
    assert installed.run("getent", "group", "penates").returncode == 2
    assert installed.file("/opt/penates/bin/penates").exists()
    assert not installed.file("/opt/penates/installed.json").exists()
    assert "/usr/lib/systemd/system/penates@.service" in installed.files()
    assert not [name for name in installed.files() if Path(name).is_relative_to(UNITS) and "penates" in name]
