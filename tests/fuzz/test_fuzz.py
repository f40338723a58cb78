"""Whatever comes from the wire or stands in a file: no crash, no hang, no growth. `scripts/fuzz` looks for longer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bootstrap.contract.commands import only, seconds
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.runtime.actions import Actions
from fuzz.targets import ROOT, TARGETS, commands, devices, houses, judge, payloads
from support.world import Eyes, House

DAEMON_GROWTH_MB = 4.0
odd_numbers = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([10**400, -(10**4200), 1e308])
odd_scalars = st.booleans() | odd_numbers | st.text(max_size=20) | st.dates() | st.datetimes()
odd_values = st.recursive(
    odd_scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab-", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.exact
@pytest.mark.parametrize("name", TARGETS)
def test_a_target_for_a_moment(name: str, tmp_path: Path) -> None:
    """Led by atheris where there is one, else blind (which the end of the tests says)."""
    program = [sys.executable, str(ROOT / "tests" / "fuzz" / "run.py"), name, "--keep", str(tmp_path / "keep")]
    limits = ["--seconds", "3", "--runs", "20000", "--seed", "1"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run([*program, *limits], capture_output=True, text=True, env=env, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]


@pytest.mark.exact
def test_what_fails_is_found_and_kept(tmp_path: Path) -> None:
    """The blind driver, on a target that is wrong: a fuzzer that finds nothing may be one that does not look."""
    (tmp_path / "targets.py").write_text(
        "from types import SimpleNamespace as Target\n"
        "def check(data):\n    assert b'n' not in data\n"
        "TARGETS = {'wrong': Target(check=check, seeds=lambda: [b'yes'])}\n"
    )
    shutil.copy(ROOT / "tests" / "fuzz" / "run.py", tmp_path)
    program = [sys.executable, "run.py", "wrong", "--random", "--seconds", "30", "--seed", "1"]
    ran = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
    assert ran.returncode == 1, ran.stdout
    (kept,) = (tmp_path / ".fuzz" / "wrong").glob("failed-*")
    assert b"n" in kept.read_bytes()
    assert kept.name in ran.stdout


def toml(value: Any) -> str:
    """A value as TOML; JSON's strings are TOML's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(letter):08x}" for letter in value) + '"'
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:#x}" if isinstance(value, int) and value > 2**70 else str(value)


def mistyped(keys: list[str]) -> st.SearchStrategy[bytes]:
    """Valid TOML whose values are of any type."""
    lines = st.dictionaries(st.sampled_from(keys), odd_values, max_size=6)
    sections = st.dictionaries(st.sampled_from(["", "broker", "log", "supervisor", "other"]), lines, max_size=4)

    def write(found: dict[str, dict[str, Any]]) -> bytes:
        rows = []
        for section, table in sorted(found.items()):
            rows += [f"[{section}]" if section else "", *(f"{key} = {toml(value)}" for key, value in table.items())]
        return "\n".join(rows).encode()

    return sections.map(write)


def mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """A sample, a piece of which is something else."""

    def cross(seed: bytes, start: int, length: int, piece: bytes) -> bytes:
        start %= len(seed) + 1
        return seed[:start] + piece + seed[start + length :]

    piece = st.binary(max_size=20) | st.sampled_from(seeds)
    return st.builds(cross, st.sampled_from(seeds), st.integers(0, 5000), st.integers(0, 50), piece)


HOUSE_KEYS = [
    "group",
    "heartbeat_s",
    "state",
    "broker",
    "log",
    "supervisor",
    "host",
    "port",
    "protocol",
    "username",
    "password_file",
    "ca_file",
]
HOUSE_KEYS += ["keepalive_s", "level", "format", "watchdog_s", "log_mb", "a", "b"]
DEVICE_KEYS = [
    "kind",
    "group",
    "sensor",
    "every_s",
    "pin",
    "serial",
    "bus",
    "bounce_s",
    "hold_s",
    "click_s",
    "active_high",
    "disk",
    "root",
    "a",
    "b",
]
house_files = st.sampled_from(houses()) | mutated(houses()) | mistyped(HOUSE_KEYS) | st.binary()
device_files = mutated(devices()) | mistyped(DEVICE_KEYS) | st.binary()
stems = st.sampled_from(["cellar", "lamp", "a b", "ä\n", "\udcff"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=30
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(house_files, st.dictionaries(stems, device_files, max_size=3))
@example(b'group = "cm"\n', {"cellar": b'kind = "thermometer"\nserial = "28-0316a2795fff"\n'})
def test_a_whole_folder_gives_settings_or_faults_that_say_where(
    folder: Path, house: bytes, found: dict[str, bytes]
) -> None:
    shutil.rmtree(folder)
    (folder / "devices").mkdir(parents=True)
    (folder / "house.toml").write_bytes(house)
    for stem, data in found.items():
        (folder / "devices" / f"{stem}.toml").write_bytes(data)
    judge(folder)


answered = st.none() | st.text() | st.integers(-(10**17), 10**17) | st.binary() | st.lists(st.booleans())


@settings(deadline=None)
@given(st.text(), mutated(commands()) | st.binary() | st.text().map(str.encode), st.booleans())
@example("read", b'{"before":"0001-01-01T00:00:00+23:59"}', False)
@example("set", b'{"value":{"value":{}},"id":1e308}', False)
def test_every_command_is_answered_once_and_the_answer_can_be_sent(name: str, payload: bytes, retained: bool) -> None:
    def act(value: Json) -> None:
        seconds(value.pop("for_s", None) if isinstance(value, dict) else None)
        only(value, "state")

    answers: list[dict[str, object]] = []
    actions = Actions({"read": act, "set": act, "log": act}, answers.append)
    actions.handle(name, payload, retained=retained)
    (answer,) = answers
    assert decode(encode(answer)) == answer
    assert answer["result"] == "refused" or name in actions.names
    assert len(encode(answer)) < 2000


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# What a broker lets pass: no control characters, no half characters, no wildcards.
names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="+#"), max_size=30)
places = st.builds("action/{}".format, st.sampled_from(["read", "log", "log "]) | names)
places |= st.sampled_from(["status/state", "status/heartbeat"])
said = st.sampled_from(payloads()) | mutated(payloads()) | st.binary(max_size=2000)
said |= st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=8), st.integers(0, 9000))


@pytest.mark.exact
def test_a_daemon_that_is_told_anything_stays_up_answers_and_does_not_grow(cellar: House, eyes: Eyes) -> None:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    sizes: list[float] = []

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(places, said, st.booleans()), min_size=20, max_size=60))
    def tell(batch: list[tuple[str, bytes, bool]]) -> None:
        for place, payload, retain in batch:
            eyes.publish(f"cm/cellar/{place}", payload, retain=retain)
        number = f"well {len(sizes)}"
        eyes.publish("cm/cellar/action/read", encode({"id": number}))
        answer = eyes.wait(lambda _: answer_to(eyes, number), number)
        assert answer["result"] == "done"
        sizes.append(rss_mb(running.pid))

    tell()
    assert running.process.poll() is None
    assert len(eyes.seen) > 300
    assert sizes[-1] - sizes[len(sizes) // 3] < DAEMON_GROWTH_MB, sizes


def answer_to(eyes: Eyes, number: str) -> Any:
    answers = (one.value for one in eyes.on("cm/cellar/status/action")[-5:])
    return next((answer for answer in answers if answer["id"] == number), None)
