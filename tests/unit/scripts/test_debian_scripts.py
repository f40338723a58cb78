"""What the Debian package's own scripts do, in folders that stand for those of the machine."""

import shutil
import subprocess
from pathlib import Path

import pytest

from penates.files.install_paths import HOUSE, PACKAGED, PROGRAM, STATE
from support.paths import ROOT

SCRIPTS = ROOT / "packaging" / "debian"
RECORD, OF_SCRIPTS_INSTALL = "installed.json", "pyvenv.cfg"


def run(script: str, *arguments: str, root: Path) -> str:
    """Run a script with its folders below `root`, and no systemd."""
    text = (SCRIPTS / script).read_text()
    for place in (PROGRAM, HOUSE, STATE, Path("/run/systemd/system")):
        text = text.replace(str(place), f"{root}{place}")
    done = subprocess.run(["sh", "-s", *arguments], input=text, capture_output=True, text=True, check=True)
    return done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for place in (PROGRAM, HOUSE, STATE):
        (tmp_path / place.relative_to("/")).mkdir(parents=True)
    return tmp_path


def programme(root: Path, name: str = PROGRAM.name) -> Path:
    return root / PROGRAM.relative_to("/").with_name(name)


def test_a_purge_removes_the_house_but_not_one_that_scripts_install_has_continued(machine: Path) -> None:
    (programme(machine) / OF_SCRIPTS_INSTALL).touch()
    assert "stay" in run("postrm", "purge", root=machine)
    assert all((machine / place.relative_to("/")).exists() for place in (PROGRAM, HOUSE, STATE))

    (programme(machine) / OF_SCRIPTS_INSTALL).unlink()
    assert run("postrm", "purge", root=machine) == ""
    assert not any((machine / place.relative_to("/")).exists() for place in (PROGRAM, HOUSE, STATE))


@pytest.mark.parametrize("killed", ["never", "after the move", "with an empty folder"])
def test_the_record_of_scripts_install_stays_wherever_an_earlier_run_ended(machine: Path, killed: str) -> None:
    (programme(machine) / OF_SCRIPTS_INSTALL).touch()
    (programme(machine) / RECORD).write_text("{}")
    if killed != "never":
        programme(machine).rename(programme(machine, "penates.former"))
    if killed == "with an empty folder":
        programme(machine).mkdir()
    for _again in range(2):
        run("preinst", "install", root=machine)
        assert [one.name for one in programme(machine).iterdir()] == [RECORD]
    run("postrm", "abort-install", root=machine)
    assert (programme(machine) / OF_SCRIPTS_INSTALL).exists()


def test_a_programme_that_somebody_has_deleted_does_not_keep_the_package_from_going(machine: Path) -> None:
    (programme(machine) / "lib" / "__pycache__").mkdir(parents=True)
    run("prerm", "remove", root=machine)
    assert not [*(programme(machine) / "lib").iterdir()]
    (programme(machine) / "lib").rmdir()
    run("prerm", "remove", root=machine)


def test_a_removed_package_is_no_package_though_dpkg_remembers_it(tmp_path: Path) -> None:
    control, root = tmp_path / "package" / "DEBIAN", tmp_path / "root"
    control.mkdir(parents=True)
    fields = "Package: penates\nVersion: 1\nArchitecture: all\nMaintainer: us <us@localhost>\nDescription: one\n"
    (control / "control").write_text(fields)
    for script in SCRIPTS.glob("p*"):  # of ours only the names: these must do nothing
        shutil.copy("/bin/true", control / script.name)
    for folder in ("info", "updates"):
        (root / "var" / "lib" / "dpkg" / folder).mkdir(parents=True)
    (root / "var" / "lib" / "dpkg" / "status").touch()
    package = tmp_path / "penates.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", control.parent, package], check=True)
    dpkg = ["dpkg", f"--root={root}", "--force-script-chrootless", "--force-not-root", "--log=/dev/null"]
    known = root / PACKAGED.relative_to("/")
    subprocess.run([*dpkg, "--install", package], check=True)
    assert known.exists()
    assert f"-e {PACKAGED} " in (ROOT / "scripts" / "install").read_text()
    subprocess.run([*dpkg, "--remove", "penates"], check=True)
    assert known.with_suffix(".list").exists()
    assert not known.exists()
