"""The rules of the house: which room may use which, and how large what is in them may be."""

import ast
import importlib
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import bootstrap
from support.paths import ROOT

PACKAGES = ("bootstrap", "daemons", "penates")
SURFACE = "bootstrap"  # what authors of devices import: it names much, and loads nothing until a name is used

# From the ground up. A room may use what stands below it, and itself; those of one floor do not know each other.
FLOORS = (
    {
        "bootstrap.bounded_answer",
        "bootstrap.bounded_connection",
        "bootstrap.child_life",
        "bootstrap.errors",
        "bootstrap.hosts",
        "bootstrap.limits",
        "bootstrap.logs",
        "bootstrap.package_data",
        "bootstrap.paths",
        "bootstrap.proof",
        "bootstrap.serial_port",
        "bootstrap.streams",
        "bootstrap.sysfs",
        "bootstrap.tls",
    },
    {"bootstrap.contract", "bootstrap.eventloop", "bootstrap.lan"},
    {"bootstrap.outbox", "bootstrap.pins"},
    {"bootstrap.needs"},
    {"bootstrap.device"},
    {"bootstrap.gateway", "bootstrap.jumps", "bootstrap.kernel_sensors", "bootstrap.quantities"},
    {"bootstrap.filters"},
    {
        "bootstrap.config",
        "bootstrap.contact",
        "bootstrap.chatter",
        "bootstrap.display",
        "bootstrap.one_wire",
        "bootstrap.radio",
        "bootstrap.serial_frames",
        "bootstrap.value_forms",
    },
    {
        "bootstrap.alarm_loops",
        "bootstrap.covers",
        "bootstrap.door_locks",
        "bootstrap.modbus",
        "bootstrap.plain_lines",
        "bootstrap.serial_lines",
    },
    {"bootstrap.answers", "bootstrap.mqtt"},
    {"bootstrap.adapter", "bootstrap.history", "bootstrap.homeassistant", "bootstrap.machine"},
    {"bootstrap.bridge"},
    {"bootstrap.runtime"},
    {"bootstrap.supervisor"},
    {"daemons"},
    {"penates"},
)
GROUND = FLOORS[0]
MAY_USE_HISTORY = (
    "bootstrap.history",
    "bootstrap.bridge.far_traffic",
    "bootstrap.runtime.device_context",
    "daemons.recorder",
    "penates",
)
LONGEST_CLASS, LONGEST = 250, {"Process": 200, "Sensor": 200}
MEDIAN, P90, LONGEST_FUNCTION = 5, 12, 34


@dataclass(frozen=True)
class Import:
    """Module `user` uses `used`, somewhere in it, if only for its types."""

    user: str
    used: str
    line: int

    def __str__(self) -> str:
        return f"{self.user.replace('.', '/')}.py:{self.line} imports {self.used}"


def _parsed() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(file.read_text())


@cache
def modules() -> dict[str, ast.Module]:
    """Parsed when a test asks for them: each worker imports this file, and one runs its tests."""
    return dict(_parsed())


def _imports() -> Iterator[Import]:
    for user, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield Import(user, whole if whole in modules() else node.module, node.lineno)
            elif isinstance(node, ast.Import):
                yield from (Import(user, alias.name, node.lineno) for alias in node.names)


@cache
def imports() -> list[Import]:
    return [one for one in _imports() if one.used.partition(".")[0] in PACKAGES and one.user != SURFACE]


def room(module: str) -> str:
    """Of `bootstrap` each folder and file is one; the other packages are one each."""
    return ".".join(module.split(".")[:2]) if module.startswith("bootstrap.") else module.partition(".")[0]


def floor(module: str) -> int:
    """Its number from the ground up; below all is `bootstrap` itself, of which our own use the version alone."""
    if module == SURFACE:
        return -1
    found = [number for number, rooms in enumerate(FLOORS) if room(module) in rooms]
    assert found, f"{module} stands in no room of this test: put it on a floor"
    return found[0]


def test_nothing_imports_upwards() -> None:
    assert [str(one) for one in imports() if floor(one.used) > floor(one.user)] == []


def test_rooms_of_one_floor_do_not_know_each_other() -> None:
    met = [
        str(one)
        for one in imports()
        if floor(one.used) == floor(one.user) and room(one.used) != room(one.user) and room(one.user) not in GROUND
    ]
    assert met == []


def test_only_who_records_or_looks_knows_the_history() -> None:
    used = [one for one in imports() if one.used.startswith("bootstrap.history")]
    assert [str(one) for one in used if not one.user.startswith(MAY_USE_HISTORY)] == []


def test_only_who_hears_or_sends_knows_of_radio() -> None:
    users = {one.user for one in imports() if one.used.startswith("bootstrap.radio.")}
    of_lines = {one for one in modules() if one.startswith("bootstrap.serial_lines.")}
    may = {"daemons.radio", "daemons.socket", "penates.commands.radio_learn", *of_lines}
    assert {user for user in users if not user.startswith("bootstrap.radio.")} <= may
    users = {one.user for one in imports() if one.used.startswith("bootstrap.serial_lines.")} - of_lines
    assert users == {"daemons.lines"}


def test_no_command_imports_another() -> None:
    commands = "penates.commands."
    assert [str(one) for one in imports() if one.user.startswith(commands) and one.used.startswith(commands)] == []


def at_import(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """What is imported when a module itself is: not within functions, not for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from (one for other in child.orelse for one in at_import(other))
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from at_import(child)


def first_imports(user: str) -> set[str]:
    """The modules of ours that have to be there before a module, with their packages."""
    found = list[str]()
    for node in at_import(modules()[user]):
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
        found += names
    own = {user, *packages(user)}
    return {one for name in found for one in (name, *packages(name)) if one in modules()} - own


def packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def test_no_import_leads_back_to_where_it_began() -> None:
    """A suite that imports all in one order would never meet the order that fails."""
    TopologicalSorter({user: first_imports(user) for user in modules()}).prepare()  # raises CycleError


ALONE = """
import contextlib, gc, importlib, os, sys, traceback

bytecode, foreign, own = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
for name in foreign:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
gc.disable()
sys.dont_write_bytecode, sys.pycache_prefix = False, bytecode
for name in own:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc())
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_each_kind_and_each_command_is_imported_alone(tmp_path: Path) -> None:
    """In a process that has nothing of ours: in most tests a process starts with everything."""
    used = {one.used for one in imports()} | {one.used.rpartition(".")[0] for one in imports()}
    quick = ("paho", "zmq", "gpiozero", *sys.stdlib_module_names)  # what nearly all of them need, so once for all
    foreign = sorted(name for name in used if name.partition(".")[0] in quick)
    own = [name for name in modules() if name.startswith(("daemons.", "penates.commands."))]
    assert len(own) > 80
    command = [sys.executable, "-W", "error", "-c", ALONE, str(tmp_path), " ".join(foreign), " ".join(own)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it would be slow
    assert subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout == ""


def loaded(code: str) -> set[str]:
    """The modules that are loaded once this has run."""
    program = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_settings_are_read_without_paho_and_zmq() -> None:
    names = [name for name in modules() if name.startswith("bootstrap.config.")]
    found = loaded(f"import {', '.join(names)}")
    assert [name for name in found if name.partition(".")[0] in ("paho", "zmq", "gpiozero")] == []


def test_a_command_loads_no_event_loop_before_it_needs_one() -> None:
    found = loaded("import penates.cli, penates.commands.check, penates.commands.status")
    assert [name for name in found if name.partition(".")[0] in ("paho", "zmq", "gpiozero")] == []


def test_a_process_loads_neither_calls_nor_streams_before_a_device_uses_them() -> None:
    few = (
        "bootstrap.streams",
        "bootstrap.runtime.streams",
        "bootstrap.runtime.device_calls",
        "bootstrap.runtime.blocking_read",
        "bootstrap.runtime.bus_lock",
    )
    assert [name for name in loaded("import bootstrap.runtime.process") if name.startswith(few)] == []


def test_importing_bootstrap_changes_nothing() -> None:
    assert loaded("import bootstrap") - loaded("pass") == {"bootstrap"}


def from_surface() -> Iterator[tuple[str, set[str]]]:
    """Yield what each module imports from `bootstrap` itself."""
    for user, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == SURFACE:
                yield user, {alias.name for alias in node.names}


def test_the_surface_is_for_devices() -> None:
    """Inside of `bootstrap` it would hide who uses whom."""
    found = [(user, names) for user, names in from_surface() if not user.startswith("daemons.")]
    assert [(user, names) for user, names in found if names != {"__version__"}] == []


def test_devices_import_from_the_surface_what_it_has() -> None:
    elsewhere = {
        f"{user}: {alias.name} from {node.module}"
        for user, tree in modules().items()
        if user.startswith("daemons.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != SURFACE
        for alias in node.names
        if alias.name in bootstrap.__all__
    }
    assert elsewhere == set()


def test_types_are_checked_by_the_same_names_as_the_surface_has() -> None:
    block = next(node for node in modules()[SURFACE].body if isinstance(node, ast.If))
    typed = {alias.asname: (node.module, alias.name) for node in block.body for alias in node.names}  # type: ignore[attr-defined]
    assert typed == {name: (module, name) for name, module in bootstrap.HOMES.items()}


@pytest.mark.parametrize("name", bootstrap.__all__)
def test_each_name_of_the_surface_is_there(name: str) -> None:
    assert getattr(bootstrap, name) is getattr(importlib.import_module(bootstrap.HOMES[name]), name)
    assert name in dir(bootstrap)


def test_a_name_that_the_surface_lacks_is_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'bootstrap' has no attribute 'Devise'"):
        bootstrap.Devise  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Devise' from 'bootstrap'"):
        exec("from bootstrap import Devise")


def test_a_name_of_the_surface_loads_what_it_needs_and_no_more() -> None:
    found = loaded("from bootstrap import Measure, Device, Pin, Reading, takes, Refused, millis, Seconds")
    assert [name for name in found if name.partition(".")[0] in ("paho", "zmq", "gpiozero")] == []


@pytest.mark.parametrize("before", ["pass", "import urllib.request"])
def test_importing_paho_our_way_leaves_urllib_as_it_is(before: str) -> None:
    code = f"{before}; there = sys.modules.get('urllib.request'); import bootstrap.mqtt.session"
    code += "; assert sys.modules.get('urllib.request') is there; import urllib.request"
    code += "; assert urllib.request.Request('http://localhost').host == 'localhost'"
    assert "paho.mqtt.client" in loaded(code)


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for name, tree in modules().items():
        yield from ((name, node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def test_no_two_public_classes_share_a_name() -> None:
    found = defaultdict(list)
    for module, node in classes():
        found[node.name].append(module)
    assert {name: where for name, where in found.items() if len(where) > 1 and not name.startswith("_")} == {}


def length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def without_docstring(node: ast.FunctionDef) -> int:
    return length(node) - (length(node.body[0]) if ast.get_docstring(node) is not None else 0)


def test_classes_are_short() -> None:
    found = [
        (f"{module}.{node.name}", length(node), LONGEST.get(node.name, LONGEST_CLASS)) for module, node in classes()
    ]
    assert [one for one in found if one[1] > one[2]] == []


def test_functions_are_short() -> None:
    functions = {
        f"{module}:{node.lineno} {node.name}": without_docstring(node)
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > LONGEST_FUNCTION} == {}
    assert statistics.median(functions.values()) <= MEDIAN
    assert statistics.quantiles(functions.values(), n=10)[-1] <= P90


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("bootstrap.device", ("Device", "Measure", "Pin", "Reading", "Seconds", "takes", "host_name")),
        ("bootstrap.errors", ("NoReading", "Refused")),
        ("bootstrap.sysfs", ("millis", "hexadecimal", "kibibytes", "present", "missing")),
        ("bootstrap.pins", ("Edge",)),
    ],
)
def test_what_users_devices_import_stays_where_it_is(module: str, names: tuple[str, ...]) -> None:
    found = importlib.import_module(module)
    assert [name for name in names if not hasattr(found, name)] == []
