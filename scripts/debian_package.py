"""Build a Debian package of this copy: scripts/deb RELEASE.

The package holds what `scripts/install` makes on a machine: a virtual environment in /opt/penates. Where Debian has the
dependencies in versions that we accept, the package depends on them; the others are in the virtual environment.
"""

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import Parser
from email.utils import formatdate
from itertools import chain
from pathlib import Path

from penates.files.install_paths import COMMAND, PACKAGED_UNITS, PROGRAM
from penates.files.planned_file import Planned
from penates.installer import unit_files

ROOT = Path(__file__).parent.parent
OURS = ROOT / "packaging" / "debian"
DIST = ROOT / "dist"
NAME, MAINTAINER = "penates", "The penates founders <penates@localhost>"
EXTRAS = ("pi", "broker")  # as scripts/install has them
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,-]+\])?\s*([^;]*)(?:;(.*))?")
UNUSED = {"setuptools", "lockfile"}  # colorzero does without; python-daemon needs the other for pid files alone
RECOMMENDED = ("mosquitto-clients",)  # as the documents use them
HELPFUL = ("mosquitto", "rtl-433", "python3-influxdb-client")
DESCRIPTION = """\
small home-automation sensor daemons for the Raspberry Pi
 Reads doors, thermometers, meters and radio sensors, switches lamps, valves and
 garage doors, and tells everything by MQTT, one small process for each device.
 What is measured while the broker is away is kept, and delivered afterwards.
 .
 After the installation, `sudo penates install` sets up a house on this machine.
"""


@dataclass(frozen=True)
class Release:
    """A release of Debian.

    Attributes:
        name: such as trixie.
        number: such as 13.
        python: the version of its Python.
        packages: those of its packages that are new enough for us, by the name of the requirement that they meet.
    """

    name: str
    number: int
    python: str
    packages: Mapping[str, str]

    @property
    def follows(self) -> str:
        """The next version of Python, for which the package is not made."""
        major, minor = self.python.split(".")
        return f"{major}.{int(minor) + 1}"


TRIXIE = {
    "cryptography": "python3-cryptography",
    "gpiod": "python3-libgpiod",
    "ifaddr": "python3-ifaddr",
    "python-daemon": "python3-daemon",
    "pyzmq": "python3-zmq",
    "rich": "python3-rich",
    "shtab": "python3-shtab",
}
# Debian 12 has these, too, but four of them are too old.
RELEASES = [Release("bookworm", 12, "3.11", {}), Release("trixie", 13, "3.13", TRIXIE)]


@dataclass(frozen=True)
class Requirement:
    """What a wheel needs: a name, and the lowest version (`>=`) if there is one."""

    name: str
    lowest: str
    text: str


def requirements(metadata: str, extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield what a wheel's metadata requires, including that of some extras."""
    for text in Parser().parsestr(metadata).get_all("Requires-Dist", []):
        if not (found := REQUIREMENT.fullmatch(text)):
            raise SystemExit(f"cannot read the requirement {text!r}")
        name, versions, marker = found.groups(default="")
        if not marker.strip() or any(marker.strip() == f"extra == '{extra}'" for extra in extras):
            lowest = re.search(r">=\s*([\w.!]+)", versions)
            yield Requirement(normalized(name), lowest[1] if lowest else "", f"{name}{versions.strip()}")


def normalized(name: str) -> str:
    """Return the name of a package as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Build:
    """A package that is being made in a folder of its own."""

    def __init__(self, release: Release, work: Path) -> None:
        self._release, self._work = release, work
        self._tree, self._wheels = work / "tree", work / "wheels"
        self._programme = self._tree / PROGRAM.relative_to("/")
        self._site = self._programme / "lib" / f"python{release.python}" / "site-packages"
        self._depends = [f"python3 (>= {release.python}~)", f"python3 (<< {release.follows}~)"]
        self._pip("wheel", "--no-deps", str(ROOT))
        self.version = next(self._wheels.glob(f"{NAME}-*.whl")).name.split("-")[1]

    @property
    def architecture(self) -> str:
        """That of the package: `all` if nothing in it is compiled."""
        if not any(self._site.rglob("*.so")):
            return "all"
        return subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()

    def make(self) -> Path:
        """Make the package, and return its file."""
        self._fetch()
        self._virtual_environment()
        self._require_complete()
        for one in self._units():
            self._write(one.path, one.content or b"")
        self._documents()
        file = DIST / f"{NAME}_{self._full_version}_{self.architecture}.deb"
        self._control()
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zxz", self._tree, file], check=True)
        return file

    @property
    def _full_version(self) -> str:
        return f"{self.version}+deb{self._release.number}"

    def _pip(self, command: str, *arguments: str) -> None:
        quiet = ["--quiet", "--disable-pip-version-check"]
        where = "--wheel-dir" if command == "wheel" else "--dest"
        subprocess.run([sys.executable, "-m", "pip", command, *quiet, where, self._wheels, *arguments], check=True)

    def _fetch(self) -> None:
        """Get what Debian's release does not have; what it has is required of it."""
        if not self._release.packages:
            if sys.version_info[:2] != tuple(map(int, self._release.python.split("."))):
                raise SystemExit(f"this needs Python {self._release.python}, as Debian {self._release.number} has it")
            self._pip("wheel", f"{ROOT}[{','.join(EXTRAS)}]")
            return
        needed = [*requirements(self._metadata(NAME), EXTRAS)]
        builtin = [one.text for one in needed if one.name not in self._release.packages]
        for one in needed:
            if package := self._release.packages.get(one.name):
                self._depends.append(f"{package} (>= {one.lowest})" if one.lowest else package)
        self._pip("download", "--no-deps", "--only-binary", ":all:", *builtin, "colorzero")

    def _metadata(self, name: str) -> str:
        wheel = next(self._wheels.glob(f"{name}-*.whl"))
        with zipfile.ZipFile(wheel) as opened:
            return opened.read(next(one for one in opened.namelist() if one.endswith(".dist-info/METADATA"))).decode()

    def _virtual_environment(self) -> None:
        """Make what `python3 -m venv` would on the machine, and unpack the wheels in it."""
        binaries = self._programme / "bin"
        binaries.mkdir(parents=True)
        (binaries / "python").symlink_to("/usr/bin/python3")
        shown = str(bool(self._release.packages)).lower()
        text = f"home = /usr/bin\ninclude-system-site-packages = {shown}\nversion = {self._release.python}\n"
        (self._programme / "pyvenv.cfg").write_text(text)
        for wheel in sorted(self._wheels.glob("*.whl")):
            if normalized(wheel.name.split("-")[0]) in UNUSED:
                continue
            with zipfile.ZipFile(wheel) as opened:
                opened.extractall(self._site)
        for unused in self._site.glob("*.data"):
            shutil.rmtree(unused)
        for module in self._site.rglob("*.py"):
            code = module.read_bytes()
            if code.startswith(b"#!"):  # nobody runs it as a program
                module.write_bytes(code[code.index(b"\n") + 1 :])
        run = f"#!{PROGRAM}/bin/python\nimport sys\n\nfrom penates.__main__ import main\n\nsys.exit(main())\n"
        self._write(COMMAND, run.encode(), 0o755)
        on_path = self._tree / "usr" / "bin" / NAME
        on_path.parent.mkdir(parents=True, exist_ok=True)
        on_path.symlink_to(COMMAND)
        self._write(PROGRAM / "README.md", (ROOT / "README.md").read_bytes())

    def _require_complete(self) -> None:
        """Check that whatever is built in finds what it needs, there or in Debian."""
        folders = [*self._site.glob("*.dist-info")]
        there = {normalized(folder.name.split("-")[0]) for folder in folders} | {*self._release.packages} | UNUSED
        for folder in folders:
            extras = EXTRAS if folder.name.startswith(f"{NAME}-") else ()
            for one in requirements((folder / "METADATA").read_text(), extras):
                if one.name not in there:
                    raise SystemExit(f"{folder.name} needs {one.name}, which is neither built in nor a dependency")

    def _units(self) -> list[Planned]:
        """Return the units that are alike in every house."""
        made = (unit_files.shipped, unit_files.for_broker, unit_files.for_power)
        return [one for one in chain.from_iterable(make(PACKAGED_UNITS) for make in made) if one.content is not None]

    def _documents(self) -> None:
        doc = Path("/usr/share/doc") / NAME
        self._write(doc / "copyright", self._copyright().encode())
        self._write(doc / "changelog.gz", _packed(self._changelog().encode()))
        self._write(doc / "CHANGELOG.md.gz", _packed((ROOT / "CHANGELOG.md").read_bytes()))
        self._write(Path("/usr/share/lintian/overrides") / NAME, (OURS / "lintian-overrides").read_bytes())

    def _changelog(self) -> str:
        """Return the package's own changelog, which names the one that is written for people."""
        what = f"Version {self.version}, as CHANGELOG.md describes it."
        head = f"{NAME} ({self._full_version}) {self._release.name}; urgency=medium"
        return f"{head}\n\n  * {what}\n\n -- {MAINTAINER}  {formatdate(int(os.environ['SOURCE_DATE_EPOCH']))}\n"

    def _copyright(self) -> str:
        """Return our licence, and those of everything that is built in."""
        place = f"{PROGRAM}/{self._site.relative_to(self._programme)}"
        others = (one for one in sorted(self._site.glob("*.dist-info")) if not one.name.startswith(f"{NAME}-"))
        stanzas = [_stanza("*", NAME, (ROOT / "LICENSE").read_text()), *(_licence_of(one, place) for one in others)]
        head = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        return "\n".join([head, *stanzas])

    def _control(self) -> None:
        for file in (path for path in self._tree.rglob("*") if not path.is_symlink()):
            file.chmod(0o755 if file.is_dir() or file == self._tree / COMMAND.relative_to("/") else 0o644)
        control = self._tree / "DEBIAN"
        size = sum(path.lstat().st_size for path in self._tree.rglob("*")) // 1024
        files = sorted(path for path in self._tree.rglob("*") if path.is_file() and not path.is_symlink())
        sums = [f"{hashlib.md5(one.read_bytes()).hexdigest()}  {one.relative_to(self._tree)}\n" for one in files]
        control.mkdir()
        fields = {
            "Package": NAME,
            "Version": self._full_version,
            "Architecture": self.architecture,
            "Maintainer": MAINTAINER,
            "Installed-Size": str(size),
            "Depends": ", ".join([*self._depends, *self._libraries()]),
            "Recommends": ", ".join(RECOMMENDED),
            "Suggests": ", ".join(HELPFUL),
            "Section": "misc",
            "Priority": "optional",
            "Description": DESCRIPTION.rstrip(),
        }
        (control / "control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
        (control / "md5sums").write_text("".join(sums))
        for name in SCRIPTS:
            shutil.copy(OURS / name, control / name)
            (control / name).chmod(0o755)

    def _libraries(self) -> list[str]:
        """Return the packages of the libraries that compiled modules use."""
        compiled = [*self._site.rglob("*.so")]
        if not compiled:
            return []
        (self._work / "debian").mkdir()
        (self._work / "debian" / "control").write_text(f"Source: {NAME}\n\nPackage: {NAME}\nArchitecture: any\n")
        bundled = [f"-l{folder}" for folder in self._site.glob("*.libs")]
        command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", *bundled, *(f"-e{one}" for one in compiled)]
        found = subprocess.run(command, cwd=self._work, check=True, stdout=subprocess.PIPE, text=True).stdout
        return found.strip().partition("=")[2].split(", ")

    def _write(self, path: Path, content: bytes, mode: int = 0o644) -> None:
        file = self._tree / path.relative_to("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _licence_of(folder: Path, place: str) -> str:
    """Return the stanza of what a wheel has brought."""
    metadata = Parser().parsestr((folder / "METADATA").read_text())
    files = [path for path in folder.rglob("*") if re.match(r"(?i)licen[sc]e|copying|edl|epl", path.name)]
    texts = [path.read_text() for path in sorted(files) if path.is_file()]
    if not texts:
        raise SystemExit(f"{folder.name} has no licence")
    paths = {line.split(",")[0].split("/")[0] for line in (folder / "RECORD").read_text().splitlines()}
    where = " ".join(f"{place}/{path}{'/*' if (folder.parent / path).is_dir() else ''}" for path in sorted(paths))
    return _stanza(where, metadata["Name"], "\n\n".join(texts))


def _stanza(files: str, name: str, text: str) -> str:
    """Return a stanza of the copyright file, with the lines that say who holds the copyright."""
    holders = [line.strip(" *") for line in text.splitlines() if re.match(r"(?i)\W*copyright\W.*\d{4}", line)]
    body = "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.splitlines())
    holder = "\n ".join(holders) or f"the authors of {name}"
    return f"Files: {files}\nCopyright: {holder}\nLicense: {name}-licence\n{body}\n"


def main() -> None:
    """Build the package of the release that is asked for, and print its file."""
    parser = argparse.ArgumentParser(prog="scripts/deb", description=__doc__)
    parser.add_argument("release", choices=[one.name for one in RELEASES])
    given = parser.parse_args()
    release = next(one for one in RELEASES if one.name == given.release)
    os.umask(0o022)
    # The time of the last commit is that of all files: the same copy makes the same package.
    committed = subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT, text=True)
    os.environ.setdefault("SOURCE_DATE_EPOCH", committed.strip())
    DIST.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        file = Build(release, Path(work)).make()
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
