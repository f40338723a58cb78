"""`penates demo` and what scripts/demo adds to it, as a stranger runs them."""

import os
import re
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from bootstrap.device import host_name
from penates.demo.animation import STYLE
from penates.demo.day import CAPTIONS
from support.paths import ROOT
from support.world import eventually, pipe

OTHERS = ("bell", "cellar", "doorlock", "frontdoor", "hall", "lamp", "lcd", "meter")
SENSORS = (*(f"home/{name}" for name in OTHERS), f"home/{host_name('')}")
LISTENING = "0A"
INDENT = " " * 7
KILLED = "The broker is killed (SIGKILL). Each sensor reads on, and keeps it all."
DAY = (
    "home/doorlock/data/state unlocked",
    "home/frontdoor/data/open true",
    "home/lamp/data/on true",
)  # what happens in its first seconds
ACCOUNT = re.compile(r"readings made (\d+), recorded \1, lost 0, out of order 0")


def demo(temporary: Path, *words: str, before: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """In a session of its own, so that a signal to all of it is Ctrl-C at a terminal."""
    temporary.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NOTIFY", "GPIOZERO", "PENATES"))}
    return subprocess.Popen(
        [*before, ROOT / "scripts" / "demo", *words],
        env={**kept, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=temporary,
    )


def nothing_is_left(temporary: Path, said: str) -> None:
    assert not list(temporary.glob("penates-demo-*"))
    found = re.search(r"mosquitto_sub -p (\d+)", said)
    assert found
    port = found[1]
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert f"{int(port):04X}" not in {words[1].split(":")[1] for words in sockets if words[3] == LISTENING}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        assert str(temporary) not in words, words


def as_told(said: str, command: str) -> str:
    """What a line brings that is printed for another terminal, typed there as it stands; nothing, if it fails."""
    told = [line for line in said.splitlines() if line.startswith(("  cd ", f"  {command} "))]
    assert len(told) == 2, said
    done = subprocess.run(["bash", "-c", "\n".join(told)], capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout


def is_drawn(text: str) -> bool:
    """Whether there is a chart of the cellar's temperature, with its line."""
    _, _, chart = text.partition("home/cellar temperature (°C)")
    return len(re.findall("[\N{BRAILLE PATTERN DOTS-1}-\N{BRAILLE PATTERN DOTS-12345678}]", chart)) > 10


def hints(running: "subprocess.Popen[str]") -> str:
    """What it says for another terminal, once the sensors are online."""
    said = ""
    for line in pipe(running.stderr):
        said += line
        if line.startswith("Ctrl-C ends it"):
            break
    return said


def read_until(running: "subprocess.Popen[str]", wanted: Iterable[str], out: str = "") -> str:
    """What it prints until it has printed all of these; `out` was printed before."""
    missing, more = {*wanted} - {*map(printed, out.splitlines())}, ""
    for line in pipe(running.stdout) if missing else ():
        more += line
        missing.discard(printed(line))
        if not missing:
            break
    assert not missing, more
    return more


def printed(line: str) -> str:
    """A caption without its time, or a change without its indent."""
    return (line.removeprefix(INDENT) if line.startswith(INDENT) else line.partition(" s  ")[2]).rstrip("\n")


@pytest.mark.long
def test_an_outage_costs_the_demo_nothing(tmp_path: Path) -> None:
    temporary, picture = tmp_path / "t", tmp_path / "picture.svg"
    running = demo(temporary, "--for", "6", "--picture", str(picture))
    said = hints(running)
    out = read_until(running, [*DAY, *(f"{sensor}/status/state online" for sensor in SENSORS)])
    rest, more = running.communicate(timeout=120)
    out += rest
    assert running.returncode == 0, out + more
    *_, summary = out.partition(f"\n{KILLED}\n")
    waited = re.match(r"The broker is back, and has forgotten everything; (\d+) readings wait\.\n", summary)
    assert waited
    assert int(waited[1]) > 2
    assert is_drawn(summary)
    assert "no broker" in summary, summary
    account = ACCOUNT.fullmatch(summary.splitlines()[-1])
    assert account, summary
    assert int(account[1]) > 20
    nothing_is_left(temporary, said)
    drawn = picture.read_text()
    assert all(words in drawn for words in (STYLE, "made", "recorded", KILLED, account[0])), "a picture of all that"


def test_the_picture_in_the_readme_is_one_of_this_demo() -> None:
    """`scripts/demo --for 42 --picture docs/demo.svg` draws it anew."""
    drawn = (ROOT / "docs" / "demo.svg").read_text()
    assert [words for words in (KILLED, STYLE, *CAPTIONS.values()) if words not in drawn] == []
    assert ACCOUNT.search(drawn)
    assert len(drawn) <= 300_000
    assert "/tmp" not in drawn
    assert "://" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert "![" in (readme := (ROOT / "README.md").read_text())
    assert "](docs/demo.svg)" in readme[: readme.index("## ")]


def test_ctrl_c_while_there_is_no_broker_loses_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "t"
    # As a shell without job control starts it in the background.
    running = demo(temporary, "--for", "6", before=("sh", "-c", "trap '' INT; exec \"$@\"", "sh"))
    said = hints(running)
    read_until(running, [KILLED])
    os.killpg(running.pid, signal.SIGINT)
    out, rest = running.communicate(timeout=120)
    assert running.returncode == 0, out + rest
    assert ACCOUNT.fullmatch(out.splitlines()[-1]), out
    nothing_is_left(temporary, said)


def test_what_it_tells_to_try_works_and_it_keeps_its_files_where_it_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "t" / "kept"
    running = demo(tmp_path / "t", "--keep", "kept", "--no-outage")
    said = hints(running)
    assert as_told(said, "penates send --config config home/lcd") == "home/lcd alert: done\n"
    read_until(running, [r'home/lcd/data/shown "Dinner is ready\n\n\n"'])
    assert as_told(said, "penates lcd shot") == ""
    assert (kept / "lcd.png").read_bytes().startswith(b"\x89PNG")
    eventually(lambda: is_drawn(as_told(said, "penates history")), "the history is drawn in another terminal")
    running.terminate()
    out, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert ACCOUNT.fullmatch(out.splitlines()[-1]), out
    assert "broker" not in out
    assert is_drawn(as_told(said, "penates history"))
    assert (kept / "config" / "house.toml").exists()
    assert "home/cellar: stopping" in (kept / "supervisor.log").read_text()
    assert eventually(lambda: not (kept / "state" / "supervisor.sock").exists(), "the supervisor is gone")
    again = demo(tmp_path / "t", "--for", "2", "--keep", "kept")
    _, said = again.communicate(timeout=120)
    assert again.returncode == 2
    assert "is not empty; use a new folder" in said


def test_it_prints_what_home_assistant_is_told(tmp_path: Path) -> None:
    running = demo(tmp_path / "tmp", "--home-assistant")
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    devices = {part.partition(":")[0]: part for part in said.split("\n\n")}
    assert {*devices} == {*(sensor.removeprefix("home/") for sensor in SENSORS), "penates"}
    assert (
        "  sensor         Temperature      temperature, °C, measurement, from home/cellar/data/temperature\n"
        in devices["cellar"]
    )
    assert "  switch         (lamp)           to home/lamp/action/set, from home/lamp/data/on\n" in devices["lamp"]
    assert not list((tmp_path / "tmp").glob("penates-demo-*"))


def lamp_states(out: str) -> list[str]:
    """What is told of the cabin's lamp, in order."""
    return [line.partition(" ")[2] for line in out.splitlines() if line.startswith("cabin/lamp/status/state ")]


@pytest.mark.long
def test_two_sites_end_with_equal_counts_though_their_link_was_cut(tmp_path: Path) -> None:
    running = demo(tmp_path / "t", "--two-sites", "--for", "15")
    out, said = running.communicate(timeout=120)
    assert running.returncode == 0, out + said
    before, _, after = out.partition("THE LINK IS CUT\n")
    assert lamp_states(before)[-1:] == ["online"]
    assert lamp_states(after) in (["unreachable"], ["unreachable", "online"])  # a busy machine may not see it return
    counts = re.findall(r"^(home|cabin) +(\d+) +(\d+) +(\d+)$", out, re.MULTILINE)
    assert [site for site, *_ in counts] == ["home", "cabin"], out
    assert all(int(numbers[0]) > 20 and len(set(numbers)) == 1 for _, *numbers in counts), out
    assert out.endswith("\nequal\n")
    nothing_is_left(tmp_path / "t", out)


def test_two_sites_need_time(tmp_path: Path) -> None:
    running = demo(tmp_path / "t", "--two-sites", "--for", "5")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 2
    assert "at least 15 seconds, not 5" in said
