"""`penates certs`, with root's own files."""

import os
from collections.abc import Callable

import pytest

from support.world import House


@pytest.fixture
def certs(house: House) -> Callable[..., tuple[int, str]]:
    house.write(1883)

    def run(*words: str) -> tuple[int, str]:
        done = house.penates("certs", "--mosquitto", str(house.folder / "mosquitto"), *words)
        return done.returncode, done.stdout + done.stderr

    return run


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="its files are root's")


@needs_root
def test_the_command_makes_shows_and_keeps(house: House, certs: Callable[..., tuple[int, str]]) -> None:
    code, said = certs("--dry-run")
    assert code == 0
    assert "would write" in said
    assert not (house.folder / "ca.pem").exists()
    code, said = certs("--name", "broker.example.org")
    assert code == 0
    assert f"wrote {house.folder}/ca.pem" in said
    assert "broker.example.org" in said
    code, said = certs()
    assert code == 0
    assert "wrote" not in said
    assert "CA: valid until" in said
    assert "broker: valid until" in said
    assert "729 days" in said
    assert "broker.example.org" in said
    code, said = certs("--renew", "--forget", "broker.example.org")
    assert f"wrote {house.folder}/certs/server.pem" in said
    assert "ca.pem" not in said
    assert "broker.example.org" not in said


def test_the_command_refuses_what_is_no_name(certs: Callable[..., tuple[int, str]]) -> None:
    code, said = certs("--name", "mqtts://broker")
    assert code == 2
    assert "must be a host name or address" in said
