"""`penates radio learn`: a real rtl_433 hears remotes of our own."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bootstrap.pins.pulse_frame import Frame, pairs
from bootstrap.radio.socket_protocols import SocketCode
from support.air import Air
from support.paths import ROOT
from support.world import pipe

Pulses = list[tuple[int, int]]
Learn = Callable[[Sequence[Pulses], Sequence[Pulses]], subprocess.CompletedProcess[str]]


@pytest.fixture
def learn(tmp_path: Path) -> Iterator[Learn]:
    """Press two buttons as often as it wants; give what each press sends."""
    air = Air(tmp_path)

    def press(on: Sequence[Pulses], off: Sequence[Pulses]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "penates", "radio", "learn", "--input", air.input]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            asked = pipe(child.stdout)
            said = ""
            for presses in (on, off):
                said += asked.readline()
                for one in presses:
                    air.send(one)
                    said += asked.readline()
            rest, errors = child.communicate(timeout=120)
        return subprocess.CompletedProcess(command, child.returncode, said + rest, errors)

    yield press
    air.close()


def sent(frame: Frame, off_by: int = 0) -> Pulses:
    """What a remote sends of a frame whose pulses are too long by some microseconds, and whose gaps are too short."""
    return [(pulse + off_by, gap - off_by) for pulse, gap in pairs(frame.durations * frame.repeats)]


def remote(code: str, *, on: bool) -> list[Pulses]:
    return [sent(SocketCode(code).frame(on=on), off_by) for off_by in (0, 40, -30)]


@pytest.mark.parametrize("code", ["kaku 12345678 3", "kaku 7 all", "kaku-old C7", "elro 11001 B"])
def test_a_known_remote_is_its_code(learn: Learn, code: str) -> None:
    done = learn(remote(code, on=True), remote(code, on=False))
    assert (done.returncode, done.stderr) == (0, "")
    assert f'--code "{code}"' in done.stdout


def test_an_unknown_remote_is_its_pulses(learn: Learn) -> None:
    on, off = (
        Frame((300, 900, 900, 300) * 9 + (300, 8000), 6),
        Frame((300, 900, 900, 300) * 8 + (300, 900) * 2 + (300, 8000), 6),
    )
    done = learn([sent(on)] * 3, [sent(off)] * 3)
    assert (done.returncode, done.stderr) == (0, "")
    code = SocketCode(done.stdout.partition('--code "')[2].partition('"')[0])
    for learnt, frame in ((code.frame(on=True), on), (code.frame(on=False), off)):
        assert max(abs(a - b) for a, b in zip(learnt.durations, frame.durations, strict=True)) <= 5
        assert learnt.repeats == 6


def rolling(seed: int) -> Pulses:
    """A key that never says the same again, as KeeLoq does: 66 bits after a preamble."""
    bits = random.Random(seed).choices("01", k=66)
    frame = [(400, 400)] * 11 + [(400, 4000)] + [(400, 800) if bit == "1" else (800, 400) for bit in bits]
    return [*frame[:-1], (frame[-1][0], 16_000)] * 3


def test_a_rolling_code_is_not_learnt(learn: Learn) -> None:
    done = learn([rolling(seed) for seed in (1, 2, 3)], [])
    assert done.returncode == 1
    assert "each press sends another code" in done.stderr
    assert "learnt: penates" not in done.stdout


def test_a_key_is_not_learnt_though_it_says_the_same(learn: Learn) -> None:
    """KeeLoq, copied by somebody: rtl_433 knows it."""
    done = learn([rolling(1)] * 3, [rolling(2)] * 3)
    assert done.returncode == 1
    assert "KeeLoq" in done.stderr
    assert "are not learnt" in done.stderr


def test_a_button_that_toggles_is_not_learnt(learn: Learn) -> None:
    on = remote("kaku-old C7", on=True)
    done = learn(on, on)
    assert done.returncode == 1
    assert "both buttons send the same" in done.stderr


def test_a_receiver_on_a_pin_cannot_learn() -> None:
    command = [sys.executable, "-m", "penates", "radio", "learn", "--input", "pin:GPIO27"]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, "a receiver on a pin cannot learn" in done.stderr) == (2, True)
