"""The settings of two brokers of which one calls the other, as `penates bridge` makes them, but without TLS."""

import re
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bootstrap.contract.sites import STATE, connection_user, notification, site_user, site_users
from penates.broker.far_sites import LinkedSite, bridge_values
from penates.broker.mosquitto_files import bridges, passwords

HOME, CABIN = "home", "cabin"  # the cabin calls
LINK = notification(CABIN, STATE)
TLS = re.compile(r"(?m)^bridge_(cafile|insecure) .*\n|^#.*\n")


@dataclass(frozen=True)
class Pace:
    """How soon the bridge notices a cut and calls again, in seconds; in a house it is 30, 5 and 60."""

    keepalive_s: int = 5
    least_s: int = 1
    most_s: int = 1


PACE = Pace()


@cache
def password(user: str) -> str:
    """Return the password of one of the cabin's users at home: another one in each process."""
    return f"{user}-{secrets.token_hex(8)}"


def bridge_lines(host: str, port: int, pace: Pace, *, metered: bool = False) -> list[str]:
    """Return the settings of the cabin's broker."""
    site = LinkedSite(name=HOME, own=CABIN, groups=[HOME], caller=CABIN, hosts=[host], port=port, metered=metered)
    text = bridges([bridge_values(site, [CABIN], "", lambda user: password(user.replace(HOME, CABIN)))])
    text = text.replace("keepalive_interval 30", f"keepalive_interval {pace.keepalive_s}")
    text = text.replace("restart_timeout 5 60", f"restart_timeout {pace.least_s} {pace.most_s}")
    return TLS.sub("", text).splitlines()


def called_lines(folder: Path) -> list[str]:
    """Return the settings of the broker at home: who may call, and what each may say and hear."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "passwords").write_text(passwords({user: password(user) for user in site_users(CABIN)}, ""))
    (folder / "acl").write_text(ACL)
    return [f"password_file {folder}/passwords", f"acl_file {folder}/acl"]


HISTORY_USER, STATE_USER = (connection_user(CABIN, one) for one in ("history", "state"))
ACL = f"""
topic readwrite #

user {site_user(CABIN)}
topic readwrite #

user {HISTORY_USER}
topic write {CABIN}/+/data/reading
topic read {HOME}/+/data/reading
topic readwrite {notification(CABIN, "history")}

user {STATE_USER}
topic deny +/+/data/reading
topic deny +/+/status/action
topic write {CABIN}/+/data/+
topic write {CABIN}/+/status/+
topic read {HOME}/+/data/+
topic read {HOME}/+/status/+
topic readwrite {LINK}
"""


def far_files(
    config: Path, *, caller: bool, called_at: tuple[str, int], more: str = "", keepalive_s: int = PACE.keepalive_s
) -> None:
    """Write the file of the far site for one of the two; `called_at`: by which address and port the cabin calls."""
    own, far = (CABIN, HOME) if caller else (HOME, CABIN)
    text = f'kind = "bridge"\ngroups = ["{far}"]\nown_groups = ["{own}"]\nlink = "{LINK}"\n{more}'
    if caller:
        (config / "site-home").write_text(password(site_user(CABIN)) + "\n")
        text += f'keepalive_s = {keepalive_s}\nhost = "{called_at[0]}"\nport = {called_at[1]}\n'
        text += f'username = "{site_user(CABIN)}"\npassword_file = "site-home"\n'
    (config / "devices" / f"{far}.toml").write_text(text)
