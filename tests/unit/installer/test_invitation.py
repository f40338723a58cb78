"""An invitation as a file: what is none is refused, with the name of each wrong field."""

import json
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import Exit, Fatal
from penates.broker.x509 import new_ca, pem
from penates.installer.invitation import Invitation

GOOD: dict[str, Any] = {
    "machine": "atticpi",
    "group": "cm",
    "brokers": ["firstpi.local", "192.168.1.7", "fd00::7"],
    "port": 8883,
    "recorder": True,
    "ca": pem(new_ca().certificate).decode(),
    "secrets": {"atticpi": "opensesame", "eyes": "look at that"},
}
WRONG: dict[str, list[Any]] = {
    "machine": ["", "../attic", "a\n", 5, None],
    "group": ["a/b", ["cm"], True],
    "brokers": [[], {}, [1], "firstpi", ["firstpi\n[broker]"], ["mqtts://firstpi"], [""], [["firstpi"]], {"a": 1}],
    "port": [-1, 0, 65_536, True, "8883", "8883\nx", 8883.0, None, [8883]],
    "recorder": ["true", 1, None, []],
    "ca": [5, "", "no certificate", None, ["a"], GOOD["ca"][:200]],
    "secrets": [
        {},
        [],
        {"eyes": ""},
        {"eyes": "a\nb"},
        {"eyes": 5},
        {"../eyes": "a"},
        {"eyes": "\ud800"},
        ["eyes"],
        "eyes",
    ],
}


def read(folder: Path, text: str) -> Invitation:
    file = folder / "it.json"
    file.write_text(text)
    return Invitation.read(file)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(Fatal) as refused:
        read(folder, text)
    assert refused.value.code == Exit.SETTINGS
    assert "\n" not in refused.value.reason
    return refused.value.reason.removeprefix(f"{folder}/it.json is not an invitation, as `penates invite` writes one: ")


def test_a_good_one(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps(GOOD)) == Invitation(**GOOD)
    assert read(tmp_path, (Invitation(**GOOD).planned.content or b"").decode()) == Invitation(**GOOD)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_field_is_named(tmp_path: Path, name: str, value: object) -> None:
    assert refusal(tmp_path, json.dumps(GOOD | {name: value})).startswith(f"{name!r} must be ")


def test_every_wrong_field_is_named_at_once(tmp_path: Path) -> None:
    wrong = {name: value for name, value in GOOD.items() if name not in ("port", "ca")} | {"brokers": [], "host": "x"}
    missing, hosts = "'port' is missing; 'ca' is missing", "'brokers' must be a list of host names or addresses"
    assert refusal(tmp_path, json.dumps(wrong)) == f"{hosts}, at least one; {missing}; there is no field 'host'"


@pytest.mark.parametrize("text", ["", "x", "[" * 60_000, "\x00"])
def test_what_is_no_json(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == "it is not JSON"


@pytest.mark.parametrize("text", ["[]", "5", "null", '"a"'])
def test_what_is_no_object(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == "it is not a JSON object"


def test_no_secret_is_repeated(tmp_path: Path) -> None:
    assert "sesame" not in refusal(tmp_path, json.dumps(GOOD | {"secrets": {"eyes": "open\nsesame"}}))
