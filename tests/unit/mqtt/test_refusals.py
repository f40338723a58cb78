"""What to do about each refusal: never a password for what is none."""

import pytest

from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.refusals import CURES, PASSING, cure

OPTIONS = ConnectOptions(client_id="cm/cellar", protocol="5", keepalive_s=60, username="cellar", password="x")


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (0x84, 'protocol = "3.1.1"'),
        (0x85, "client id cm/cellar"),
        (0x86, "password_file"),
        (0x87, "password_file"),
        (0x8A, "banned the user cellar"),
        (0x9A, "retain_available"),
        (0x9B, "max_qos"),
        (0x9D, "`host`"),
        (0x89, "asked again"),
        (0x80, "broker's log"),
    ],
)
def test_what_is_to_be_changed_is_named(code: int, named: str) -> None:
    assert named in cure(code, OPTIONS)


def test_only_a_wrong_password_is_one() -> None:
    blamed = {code for code in {*CURES, *PASSING} if "password" in cure(code, OPTIONS)}
    assert blamed == {0x86, 0x87}
