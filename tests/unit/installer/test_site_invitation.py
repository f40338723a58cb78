"""What the invited site writes by an invitation."""

import tomllib

import pytest

from bootstrap.contract.sites import site_users
from penates.installer.site_invitation import OwnSide, SiteInvitation

INVITATION = SiteInvitation(
    site="cabin",
    groups=["cabin"],
    by="home",
    by_groups=["cm"],
    brokers=["home.local"],
    port=8883,
    ca="the certificate",
    secrets=dict.fromkeys(site_users("cabin"), "secret"),
)


@pytest.mark.parametrize(("metered", "every_s"), [(False, None), (True, 900)])
def test_a_metered_link_thins_heartbeats(metered: bool, every_s: int | None) -> None:
    own = OwnSide(groups=["cabin"], prefix="homeassistant")
    *_, file = INVITATION.joined(own, ["home.local"], metered=metered)
    assert file.path.name == "home.toml"
    assert file.content
    settings = tomllib.loads(file.content.decode())
    assert settings.get("heartbeats_every_s") == every_s
    assert settings["host"] == ["home.local"]
