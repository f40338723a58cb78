"""Build the wheel and the sdist of this copy, and check what is in them: scripts/package."""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
# Finds its own files and its dependencies, and knows its kinds: enough to tell that nothing is missing.
TRIAL = """
import sys
from pathlib import Path
import penates.cli, penates.broker.x509, bootstrap.pins.kernel_factory
from bootstrap.package_data import folder
assert Path(penates.cli.__file__).is_relative_to(sys.prefix), penates.cli.__file__
for name in ("config", "mosquitto", "systemd"):
    assert folder(name).is_relative_to(sys.prefix), folder(name)
"""


def build(folder: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from it; return their paths."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}")
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def wrong_files(sdist: Path, wheel: Path) -> list[str]:
    """Return what is missing in the two, and what does not belong there."""
    named = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    tracked = {name for name in named if (ROOT / name).is_file()}
    stem = sdist.name.removesuffix(".tar.gz")
    with tarfile.open(sdist) as opened:
        in_sdist = {one.name.removeprefix(f"{stem}/") for one in opened if not one.isdir()}
    with zipfile.ZipFile(wheel) as opened:
        in_wheel = {*opened.namelist()}
    wanted = {name for name in tracked if name.startswith(tuple(f"{one}/" for one in WHEEL["packages"]))}
    for source, place in WHEEL["force-include"].items():
        wanted |= {place + name.removeprefix(source) for name in tracked if f"{name}/".startswith(f"{source}/")}
    wanted |= {f"{stem}.dist-info/{name}" for name in METADATA}
    return [*_differences(sdist, in_sdist, tracked | {"PKG-INFO"}), *_differences(wheel, in_wheel, wanted)]


def _differences(file: Path, found: set[str], wanted: set[str]) -> Iterable[str]:
    yield from (f"{file.name} lacks {name}" for name in sorted(wanted - found))
    yield from (f"{file.name} has {name}, which does not belong there" for name in sorted(found - wanted))


def try_wheel(wheel: Path, python: Path, folder: Path, *, borrowed: bool = False) -> None:
    """Install the wheel into an empty virtual environment of this Python, and see that it works there.

    What it depends on is installed there, too, or `borrowed` from the Python that runs this, which takes less time.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    inside = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(inside), "install", "--quiet", "--disable-pip-version-check"]
    wanted = ["--no-deps", str(wheel)] if borrowed else [f"{wheel}[pi,broker]"]
    subprocess.run([*pip, *wanted], check=True)
    if borrowed:
        site = next(folder.glob("lib/python*/site-packages"))
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    for command in ([str(inside), "-c", TRIAL], [str(folder / "bin" / "penates"), "kinds", "door"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=env)


def main() -> None:
    """Build and check both; end with 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/package", description=__doc__)
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="keep them there (default: nowhere)")
    parser.add_argument("--quick", action="store_true", help="try the wheel with what is installed for this Python")
    parser.add_argument("pythons", type=Path, nargs="*", metavar="PYTHON", help="try the wheel with these")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sdist, wheel = build(Path(temporary, "built"))
        if wrong := wrong_files(sdist, wheel):
            raise SystemExit("\n".join(wrong))
        if given.quick:
            try_wheel(wheel, Path(sys.executable), Path(temporary, "quick"), borrowed=True)
        for number, python in enumerate(given.pythons):
            try_wheel(wheel, python, Path(temporary, str(number)))
            print(f"{wheel.name} works with {python}")
        if given.into:
            given.into.mkdir(exist_ok=True)
            for one in (sdist, wheel):
                shutil.copy(one, given.into)


if __name__ == "__main__":
    main()
