"""The README and the pages in docs/: what they name is there."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import bootstrap
from bootstrap.config import kinds
from bootstrap.config.loader import check
from penates.parts import ELSEWHERE, parts
from penates.testing import check_kind
from support.examples import blocks
from support.paths import ROOT
from support.world import House

DOCS = ROOT / "docs"
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted(DOCS.glob("*.md"))]
PAGES += sorted((DOCS / "kinds").glob("*.md"))
README_LINES = 110
FOLDERS = "bootstrap|daemons|penates|scripts|systemd|mosquitto|config|benchmarks|docs|tests"
PLACEHOLDERS = {"daemons/KIND.py", "penates/commands/NAME.py"}


@pytest.fixture(params=PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the target of each link to a page or a file, and the anchor in it."""
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        file, _, anchor = link.partition("#")
        if "://" not in link:
            yield (page.parent / file if file else page), anchor


def anchors(page: Path) -> set[str]:
    """Return the anchor of each heading, as GitHub makes it: the second of a name gets a number."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings]
    before = [plain[:number].count(one) for number, one in enumerate(plain)]
    return {f"{one}-{count}" if count else one for one, count in zip(plain, before, strict=True)}


def test_every_link_leads_somewhere(page: Path) -> None:
    assert [str(target) for target, _ in links(page) if not target.exists()] == []
    assert [f"{target}#{anchor}" for target, anchor in links(page) if anchor and anchor not in anchors(target)] == []


def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {*re.findall(rf"`((?:{FOLDERS})/[\w./@-]+)`", page.read_text())} - PLACEHOLDERS
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_index_lists_every_page() -> None:
    index = DOCS / "README.md"
    listed = {target.resolve() for target, _ in links(index)}
    assert [page.name for page in DOCS.glob("*.md") if page != index and page.resolve() not in listed] == []


def test_the_readme_installs_as_install_md_does() -> None:
    blocks = [
        re.findall(r"(?:^    \S.*\n)+", file.read_text(), re.MULTILINE) for file in (PAGES[0], DOCS / "INSTALL.md")
    ]
    assert blocks[1][0] in blocks[0]


def test_a_part_is_found_by_its_number_on_the_page_of_all_kinds() -> None:
    text = (DOCS / "kinds" / "README.md").read_text()
    assert [one.part for one in parts() if one.part not in text] == []
    assert [part for part in ELSEWHERE if part not in text] == []


def test_the_readme_leads_to_each_kind_once_and_is_short() -> None:
    text = PAGES[0].read_text()
    assert sorted(re.findall(r"\(docs/kinds/(\w+)\.md\)", text)) == sorted(["README", *kinds.names()])
    assert len(text.splitlines()) <= README_LINES


# What the classes in the pages need, by the class: they are imported from the surface, and work on a bench.
SHOWN: dict[str, dict[str, dict[str, Any]]] = {
    "README.md": {"Thermometer": {"serial": "28-0316a2795fff", "bus": Path("/nowhere")}},
    "docs/OWN_DEVICE.md": {"Load": {}, "Valve": {"pin": 17}},
}
IMPORTS = "from dataclasses import dataclass\nfrom pathlib import Path\nfrom typing import ClassVar\n\n"
IMPORTS += "from bootstrap import *\nfrom bootstrap.proof import *\n"


@pytest.mark.parametrize("page", SHOWN)
def test_each_class_that_is_shown_works(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = {}
    for number, text in enumerate(blocks(page, "python")):
        module = f"shown_{Path(page).stem.lower()}_{number}"
        (tmp_path / f"{module}.py").write_text(text if text.startswith("from") else IMPORTS + text)
        (name,) = re.findall(r"^class (\w+)\(", text, re.MULTILINE)
        found[name] = f"{module}.{name}"
    assert found.keys() == SHOWN[page].keys()
    for name, settings in SHOWN[page].items():
        check_kind(found[name], tmp_path, **settings)


def test_text_that_names_topics_declares_them_as_shown() -> None:
    (text,) = [text for text in blocks("docs/ADDING.md", "python") if "class Template" in text]
    names: dict[str, Any] = {}
    exec(f"import re\n{IMPORTS}{text}", names)
    assert names["Template"]("{cm/hall/data/x} in, {cm/garden/data/y} out").needs() == [
        bootstrap.Listened("cm/hall/data/x"),
        bootstrap.Listened("cm/garden/data/y"),
    ]


def test_streams_have_the_sources_that_are_shown() -> None:
    (text,) = [text for text in blocks("docs/ADDING.md", "python") if "self.lines" in text and "Gateway" not in text]
    heard: list[object] = []
    settings: dict[str, Any] = {"program": "rtl_433", "port": "/dev/ttyUSB0", "host": "meter", "on_line": print}
    hearer = SimpleNamespace(**settings, lines=lambda source, _: heard.append(source))
    exec(f"{IMPORTS}{text}", {"self": hearer})
    assert [type(one) for one in heard] == [bootstrap.ChildProcess, bootstrap.Serial, bootstrap.Tcp]


def test_a_gateway_works_as_shown(house: House) -> None:
    """Its class, its file, and what it makes of two lines."""
    (text,) = [text for text in blocks("docs/ADDING.md", "python") if "Gateway" in text]
    (file,) = [text for text in blocks("docs/CONFIGURATION.md", "toml") if "[sensors.shed]" in text]
    (house.folder / "shown_radio.py").write_text(text)
    (house.folder / "house.toml").write_text('group = "home"\n')
    house.device("radio", file.replace("mine.", "shown_radio.").replace("port =", "stick ="))
    (settings,) = check(house.folder)
    shed = settings.carried["shed"]
    assert (shed.topics.client_id, shed.device.measures["temperature"].high) == ("ook/shed", 50)
    published: list[object] = []
    unknown: list[object] = []
    shed.device.context = SimpleNamespace(publish=lambda reading, at_us: published.append((reading, at_us)))
    gateway: Any = settings.device
    gateway.context = SimpleNamespace(lines=lambda *_: None)
    gateway.join(
        SimpleNamespace(
            find=lambda key: shed.device if key == {"id": 44} else None,
            note_unknown=lambda key, example, _facts: unknown.append((key, example)),
        )
    )
    gateway.setup()
    gateway.on_line("44 21.5")
    gateway.on_line("45 3")
    assert (published, unknown) == ([({"temperature": 21.5}, None)], [({"id": 45}, "45 3")])
    assert gateway.read() == {"heard": 2}


def test_a_package_declares_its_kinds_as_shown() -> None:
    (text,) = blocks("docs/OWN_DEVICE.md", "toml")
    assert tomllib.loads(text) == {"project": {"entry-points": {kinds.GROUP: {"rain": "penates_rain:Rain"}}}}
