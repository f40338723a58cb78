"""Kinds of other installed packages, which declare them by entry points."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from bootstrap.config import kinds, loader
from bootstrap.config.kinds import GROUP, KindError, find
from bootstrap.config.loader import check
from penates.__main__ import main
from support.world import House

RAIN = '''
from dataclasses import dataclass

from bootstrap import Contact, Measure, Reading


@dataclass(kw_only=True)
class {name}(Contact):
    """A tipping bucket.

    Wiring: one leg to `pin`, the other to GND.
    """

    tipped = Measure(bool)

    def shows(self, *, closed: bool) -> Reading:
        """Report a bucket that is down."""
        return {{"tipped": closed}}


NONE = 7
'''

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package that declares kinds: its name, and each kind with the attribute that is its class."""
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))

    def install(package: str, text: str = "", **declared: str) -> None:
        folder = tmp_path / "installed"
        info = folder / f"{package}-1.2.dist-info"
        info.mkdir(parents=True)
        (folder / f"{package}.py").write_text(text or RAIN.format(name="Rain"))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        rows = [f"{kind} = {package}:{attribute}\n" for kind, attribute in declared.items()]
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{''.join(rows)}")
        importlib.invalidate_caches()  # an import before may have found that the folder was not there

    yield install
    for name in [name for name in sys.modules if name.startswith("penates_")]:
        del sys.modules[name]


def run(*words: str) -> tuple[int, str, str]:
    with redirect_stdout(StringIO()) as stdout, redirect_stderr(StringIO()) as stderr:
        code = main([*words])
    return code, stdout.getvalue(), stderr.getvalue()


def test_a_kind_of_a_package_is_used_like_ours(install: Install, house: House) -> None:
    install("penates_rain", bucket="Rain")
    house.write(1)
    house.device("roof", 'kind = "bucket"\npin = 17\n')
    (found,) = check(house.folder)
    assert (found.kind, type(found.device).__name__, [*found.device.measures]) == ("bucket", "Rain", ["tipped"])
    code, _, err = run("new", "bucket", "shed", "pin=18", "--config", str(house.folder))
    assert (code, err) == (0, "")
    assert 'kind = "bucket"' in (house.folder / "devices" / "shed.toml").read_text()


def test_kinds_shows_where_it_comes_from(install: Install, house: House) -> None:
    house.write(1)
    config = ("--config", str(house.folder))
    assert run("kinds", *config)[1].splitlines()[0].split() == ["KIND", "MEASURES", "WHAT", "IT", "IS"]
    install("penates_rain", bucket="Rain")
    code, out, err = run("kinds", *config)
    assert (code, err) == (0, "")
    rows = {row.split()[0]: row for row in out.splitlines()}
    assert rows["bucket"].split() == ["bucket", "tipped", "penates_rain", "1.2", "A", "tipping", "bucket."]
    assert rows["door"].split()[:3] == ["door", "open", "penates"]
    assert json.loads(run("kinds", "--json", *config)[1])["bucket"]["package"] == "penates_rain 1.2"
    assert run("kinds", "bucket", *config)[1].startswith("bucket: A tipping bucket.\nWiring: one leg")


@pytest.mark.parametrize(
    ("text", "attribute", "why"),
    [
        ("import not_there", "Rain", "cannot be loaded: ModuleNotFoundError: No module named 'not_there'"),
        ("raise SystemExit(3)", "Rain", "cannot be loaded: SystemExit: 3"),
        ("", "Snow", "cannot be loaded: AttributeError: module 'penates_rain' has no attribute 'Snow'"),
        ("", "NONE", ": penates_rain:NONE is not a Device"),
    ],
)
def test_a_broken_one_is_named_with_its_package_and_costs_no_other(
    install: Install, house: House, text: str, attribute: str, why: str
) -> None:
    install("penates_rain", text, bucket=attribute)
    house.write(1)
    code, out, err = run("kinds", "--config", str(house.folder))
    assert (code, len(out.splitlines())) == (78, 1 + len(kinds.names()))
    assert f"penates kinds: kind 'bucket' of penates_rain 1.2{why if why[0] == ':' else f' {why}'}\n" in err
    with pytest.raises(KindError, match="kind 'bucket' of penates_rain"):
        find("bucket", house.folder)


def test_one_with_a_name_of_ours_is_never_used_and_said(install: Install, house: House) -> None:
    install("penates_rain", door="Rain", bucket="Rain")
    house.write(1)
    code, out, err = run("kinds", "--config", str(house.folder))
    assert (code, err) == (78, "penates kinds: kind 'door' of penates_rain 1.2 is never used: penates has one\n")
    rows = [row.split()[:3] for row in out.splitlines()]
    assert ["door", "open", "penates"] in rows
    assert ["bucket", "tipped", "penates_rain"] in rows
    assert len(rows) == 2 + len(kinds.names())


def test_two_packages_with_one_kind_are_both_named(install: Install, tmp_path: Path) -> None:
    install("penates_one", bucket="Rain")
    install("penates_two", bucket="Rain")
    why = "kind 'bucket' is declared by penates_one 1.2 and by penates_two 1.2; uninstall one"
    with pytest.raises(KindError, match=why):
        find("bucket", tmp_path)


def test_what_no_package_has_is_suggested_from_all(install: Install, tmp_path: Path) -> None:
    install("penates_rain", bucket="Rain")
    with pytest.raises(KindError, match=r"no kind 'buckets'; did you mean 'bucket'\?"):
        find("buckets", tmp_path)


def test_packages_are_asked_for_no_kind_of_ours(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("penates_rain", door="Rain")  # a name that is ours already
    monkeypatch.setattr(kinds, "_entry_points", lambda: pytest.fail("it takes time"))
    assert find("door", tmp_path).__name__ == "Door"


def test_without_a_house_nothing_of_the_working_folder_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "strange.py").write_text("raise SystemExit('it was loaded')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loader, "DEFAULT_FOLDERS", (tmp_path / "none",))
    code, _, err = run("kinds", "strange.Rain")
    assert code == 78
    assert err == (
        "penates kinds: no kind 'strange.Rain': there is no house here, beside which strange may be; "
        "name it by --config\n"
    )
    assert run("kinds", "door")[0] == 0


def test_a_gateway_shows_the_settings_of_its_sensors() -> None:
    shown = run("kinds", "radio")[1]
    assert '\n[sensors.NAME]\n\n## As `penates unknown` shows it, such as "AlectoV1". Set it' in shown
    assert "[sensors.NAME]" not in run("kinds", "door")[1]
