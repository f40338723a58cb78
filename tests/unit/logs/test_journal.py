"""Entries of systemd's journal, as they are sent."""

import json
from pathlib import Path

import pytest

from bootstrap.logs import journal
from support.journald import Journald, decoded


def test_an_entry_survives_the_wire() -> None:
    found = journal.entry(
        "cm/cellar", "two\nlines", 3, {"error": "a=b\nc", "reads": 7, "path": Path("/x"), "ä": "\ud800"}
    )
    assert decoded(journal.encoded(found)) == {
        "MESSAGE": "two\nlines",
        "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "penates",
        "PENATES_GROUP": "cm",
        "PENATES_SENSOR": "cellar",
        "PENATES_ERROR": "a=b\nc",
        "PENATES_READS": "7",
        "PENATES_PATH": '"/x"',
        "PENATES_Ä": "?",
    }


def test_what_is_too_large_for_a_datagram_is_refused_not_raised(
    journald: Journald, monkeypatch: pytest.MonkeyPatch
) -> None:
    journald.listen()
    monkeypatch.setenv("PENATES_JOURNAL", str(journald.place))
    assert journal.send(journal.entry("cm/cellar", "small", 6, {}))
    assert not journal.send(journal.entry("cm/cellar", "x" * 10_000_000, 6, {}))
    line = journal.FORWARDED + json.dumps(journal.entry("cm/cellar", "a\n" * 500_000, 3, {})).encode()
    assert journal.pass_on("cm/cellar", line).startswith(b"<3>a\n<3>a\n")
