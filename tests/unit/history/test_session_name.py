"""The name of a session, which nobody can guess, and the session of an earlier version under a guessable one."""

from pathlib import Path

import pytest

from bootstrap.history.session_name import SessionName, SessionStep

GUESSABLE = "cm/recorder/history"


def test_a_name_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "session.json"
    first = SessionName(file, GUESSABLE)
    assert first.secret.startswith(f"{GUESSABLE}-")
    assert len(first.secret) == len(GUESSABLE) + 33
    assert SessionName(file, GUESSABLE).secret == first.secret
    assert file.stat().st_mode & 0o777 == 0o600
    assert SessionName(tmp_path / "other", GUESSABLE).secret != first.secret


def test_the_earlier_session_is_emptied_after_the_new_one_has_subscribed_and_then_forgotten(tmp_path: Path) -> None:
    name = SessionName(tmp_path / "session.json", GUESSABLE)
    secret, asked = name.secret, []
    while name.step is not SessionStep.DONE:
        asked.append((name.step, name.client_id))
        name.advance()
    steps = [(SessionStep.SUBSCRIBE, secret), (SessionStep.EMPTY, GUESSABLE), (SessionStep.END, GUESSABLE)]
    assert asked == steps
    again = SessionName(tmp_path / "session.json", GUESSABLE)
    assert (again.step, again.client_id) == (SessionStep.DONE, secret)


def test_an_earlier_session_that_somebody_holds_costs_no_new_reading(tmp_path: Path) -> None:
    name = SessionName(tmp_path / "session.json", GUESSABLE)
    name.interrupted()
    assert (name.step, name.wait_s) == (SessionStep.SUBSCRIBE, None)
    name.advance()
    name.interrupted()
    assert name.client_id == name.secret
    assert name.wait_s
    name.advance()
    assert name.client_id == GUESSABLE


@pytest.mark.parametrize("text", ["", "{", "{}", "7", '{"secret": "short", "earlier_ended": true}', "[" * 100_000])
def test_a_damaged_file_is_a_new_name_and_said(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "session.json"
    file.write_text(text)
    secret = SessionName(file, GUESSABLE).secret
    assert "the name of the session at the broker is lost" in caplog.text
    assert SessionName(file, GUESSABLE).secret == secret


def test_a_name_that_cannot_be_kept_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        SessionName(tmp_path / "file" / "session.json", GUESSABLE)
