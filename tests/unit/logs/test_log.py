import json
import logging
import os
import pty
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from bootstrap.logs import log


@pytest.fixture(autouse=True)
def _restore() -> object:
    logger = logging.getLogger("penates")
    before, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = before
    logger.setLevel(level)
    logging.raiseExceptions = True


def test_text_is_a_static_message_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.start("cm/cellar", "info", "text")
    log.info("read", seq=3, word="on", text="a b", none=None, yes=True, path=Path("/x"), degrees="21 °C")
    log.debug("not shown")
    line = capsys.readouterr().err
    assert line[:4].isdecimal()
    assert line.endswith(
        ' info cm/cellar: read (seq=3, word=on, text="a b", none=null, yes=true, path="/x", degrees="21 °C")\n'
    )


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.start("cm/cellar", "debug", "json")
    try:
        1 // 0  # noqa: B018
    except ZeroDivisionError:
        log.error("a bug", traceback=True, path=Path("/x"))
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["sensor"], line["message"], line["path"]) == ("error", "cm/cellar", "a bug", "/x")
    assert line["traceback"][-1] == "ZeroDivisionError: integer division or modulo by zero"


def _fail(why: str) -> None:
    raise RuntimeError(why)


def test_a_traceback_cannot_forge_a_line_or_control_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    forged = "2026-01-01T00:00:00Z info cm/cellar: all is well"
    for style in ("text", "json"):
        log.start("cm/cellar", "debug", style)
        try:
            _fail(f"x\n{forged}\r{forged}\x85\x9b2J\x1b]0;y\x07\u202e\u2028{forged}")
        except RuntimeError:
            log.error("a bug", traceback=True, error="\x9b2J")
        said = capsys.readouterr().err
        assert said.endswith("\n")
        assert all(line.isprintable() for line in said.split("\n"))
        assert [line for line in said.split("\n") if line.startswith("2026-01-01")] == []
        assert said.count(forged) == 3  # nothing of it is lost


def test_priorities_for_the_journal_on_every_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    monkeypatch.setenv("PENATES_JOURNAL", "/nowhere")
    with os.fdopen(os.dup(2), "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        log.start("cm/cellar", "debug", "auto")
        log.debug("d")
        log.info("i")
        log.warning("w")
        try:
            1 // 0  # noqa: B018
        except ZeroDivisionError:
            log.error("e", traceback=True)
    lines = capfd.readouterr().err.splitlines()
    assert lines[:4] == ["<7>cm/cellar: d", "<6>cm/cellar: i", "<4>cm/cellar: w", "<3>cm/cellar: e"]
    assert len(lines) > 6
    assert all(line.startswith("<3>  ") for line in lines[4:])


def test_a_journal_stream_that_is_not_ours_means_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    log.start("cm/cellar", "info", "auto")
    log.info("i")
    assert capsys.readouterr().err.endswith("Z info cm/cellar: i\n")


def test_no_such_level() -> None:
    with pytest.raises(ValueError, match="no log level 'loud'; choose from debug, info, warning, error"):
        log.set_level("loud")


def test_what_comes_too_often_is_left_out_and_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.start("cm/cellar", "info", "text")
    for number in range(9):
        log.error("cannot read", error=number)
        log.error("a measure has a problem", measure="depth", reason=number)
    log.error("a measure has a problem", measure="level", reason=0)
    assert len(capsys.readouterr().err.splitlines()) == 2 * log.LINES + 1
    log.settle()  # the minute is not over
    assert not capsys.readouterr().err
    monkeypatch.setattr(log, "MINUTE_S", 0.0)
    log.settle()
    lines = [line[21:] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        'error cm/cellar: left out repeated messages (message="cannot read", lines=4)',
        'error cm/cellar: left out repeated messages (message="a measure has a problem", measure=depth, lines=4)',
    ]
    log.error("cannot read", error=9)
    assert "cannot read (error=9)" in capsys.readouterr().err


def test_whoever_debugs_sees_all(capsys: pytest.CaptureFixture[str]) -> None:
    log.start("cm/cellar", "debug", "text")
    for _ in range(50):
        log.debug("read")
        log.error("cannot read")
    assert len(capsys.readouterr().err.splitlines()) == 100


def test_several_threads_count_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A recorder hears in a thread of its own."""
    log.start("cm/recorder", "info", "json")

    def complain(who: str) -> None:
        for number in range(700):
            log.error(f"{who} cannot read {number}")

    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            ends = [threads.submit(complain, one) for one in "abcd"]
    finally:
        sys.setswitchinterval(usual_s)
    assert [end.exception() for end in ends] == [None] * 4
    log.settle(all_of_it=True)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert sum(line.get("lines", 1) for line in lines) == 2800


@pytest.mark.usefixtures("berlin")
def test_on_a_terminal_times_are_those_of_the_clock_on_the_wall_and_in_a_file_those_of_the_wire(tmp_path: Path) -> None:
    first, second = pty.openpty()
    with os.fdopen(second, "w") as terminal, (tmp_path / "log").open("w") as file:
        for stream in (terminal, file):
            with log.redirect(stream):
                log.info("hello")
        shown = os.read(first, 200).decode()
    kept = (tmp_path / "log").read_text()
    os.close(first)
    wire, wall = kept.partition(" info ")[0], shown.partition(" info ")[0]
    assert wire.endswith("Z")
    apart = datetime.fromisoformat(wall) - datetime.fromisoformat(wire).replace(tzinfo=None)
    assert round(apart.total_seconds() / 3600) in (1, 2)
