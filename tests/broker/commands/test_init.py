"""From nothing to a reading on the broker."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from support.kernel_files import KernelFiles
from support.secrets_and_certificates import write_certificates, write_password
from support.world import PATIENCE_S, Broker, Eyes, House

SERIAL = "28-0316a2795fff"


def test_an_empty_folder_leads_to_a_reading(house: House, broker: Broker, eyes: Eyes, tmp_path: Path) -> None:
    KernelFiles(tmp_path / "machine/sys").one_wire(SERIAL, "21500")
    words = ["--yes", "--broker", f"127.0.0.1:{broker.port}", "--root", str(tmp_path / "machine")]
    done = house.penates("init", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"The broker 127.0.0.1:{broker.port} answers.\n" in done.stdout
    assert house.penates("check").stdout.endswith("3 devices, no faults\n")
    house.run("thermometer")
    eyes.wait_value("home/thermometer/data/temperature", 21.5)


def test_user_password_and_certificate_open_a_broker_that_wants_them(house: House, tmp_path: Path) -> None:
    write_certificates(tmp_path, "localhost")
    write_password(tmp_path, "secret")
    (tmp_path / "password").write_text("secret\n")
    files = (f"certfile {tmp_path}/ca.pem", f"keyfile {tmp_path}/key.pem")
    strict = Broker(tmp_path / "strict", *files, "allow_anonymous false", f"password_file {tmp_path}/passwords").start()
    where = ["--no-scan", "--broker", f"localhost:{strict.port}", "--ca-file", str(tmp_path / "ca.pem")]
    (tmp_path / "other").mkdir()
    refused = house.penates("init", *where, "--config", str(tmp_path / "other"))
    done = house.penates("init", *where, "--username", "cellar", "--password-file", str(tmp_path / "password"))
    strict.stop()
    assert "refused us: Not authorized\n  [broker] in" in refused.stdout
    assert f"The broker localhost:{strict.port} answers.\n" in done.stdout
    assert (house.folder / "secrets/cellar").read_text() == "secret\n"


def test_who_is_asked_is_let_in_by_the_answers(house: House, broker: Broker, tmp_path: Path) -> None:
    """At a broker that is open nobody is asked who he is."""
    write_password(tmp_path, "secret")
    strict = Broker(tmp_path / "strict", "allow_anonymous false", f"password_file {tmp_path}/passwords").start()
    answers = {broker.port: ("\n", ""), strict.port: ("\ncellar\n", "secret\n")}
    for port, typed in answers.items():
        given = ("--no-scan", "--recorder", "none", "--no-home-assistant", "--broker", f"127.0.0.1:{port}")
        said = at_a_terminal(house, *typed, "init", *given, "--config", str(house.folder / str(port)))
        assert f"The broker 127.0.0.1:{port} answers." in said
    strict.stop()


def at_a_terminal(house: House, first: str, secret: str, *words: str) -> str:
    """What a command says to somebody who types this first, and then a password."""
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", "--wait", sys.executable, "-m", "penates", *words]
    with subprocess.Popen(command, env=house.env(), stdin=theirs, stdout=subprocess.PIPE, text=True) as asking:
        os.close(theirs)
        os.write(ours, first.encode())
        shown = b""
        while secret and b"Password of" not in shown:  # what was typed before that is thrown away
            shown += os.read(ours, 1000)
        os.write(ours, secret.encode())
        said, _ = asking.communicate(timeout=PATIENCE_S)
    os.close(ours)
    return said
