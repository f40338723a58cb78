"""The settings of a bridge: types that say what is allowed, and which topics the broker must let it hear and write."""

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from bootstrap.contract.topics import ID_RULE, is_id
from bootstrap.hosts import a_host
from bootstrap.needs import Declares, Listened, Need, NetworkHost, Told, a_topic


def presence_of(link: str) -> str:
    """Return the topic that says, beside the link's notification, whether the calling site fetches commands."""
    return f"{link.rpartition('/')[0]}/commands"


def _a_group(text: str) -> None:
    if not is_id(text):
        raise ValueError(ID_RULE)


def _a_link(text: str) -> None:
    a_topic(text)
    if "/" not in text:
        raise ValueError("the topic of a bridge's notification, such as penates-bridge/cabin/state")


def _a_host_or_none(text: str) -> None:
    if text:
        a_host(text)


def _a_prefix(text: str) -> None:
    if not all(is_id(level) for level in text.split("/")):
        raise ValueError(f"levels of {ID_RULE}, with '/' between them")


def _far(group: str) -> Iterable[Need]:
    own = [f"{group}/+/status/+", f"{group}/+/data/#", f"{group}/+/action/+"]
    return [*(Listened(one) for one in own), *(Told(f"{group}/+/{kind}/+") for kind in ("status", "data", "action"))]


def _own(group: str) -> Iterable[Need]:
    told = ("status/question", "status/answer", "action/+")
    listened = ("status/state", "status/action")
    return [*(Listened(f"{group}/+/{one}") for one in listened), *(Told(f"{group}/+/{one}") for one in told)]


FarGroup: TypeAlias = Annotated[str, _a_group, Declares(_far, "group of the far site")]
OwnGroup: TypeAlias = Annotated[str, _a_group, Declares(_own, "group of this site")]
LinkTopic: TypeAlias = Annotated[
    str,
    _a_link,
    Declares(lambda text: [Listened(text), Listened(presence_of(text))], "topic of the bridge's notification"),
]
FarHost: TypeAlias = Annotated[
    str, _a_host_or_none, Declares(lambda text: [NetworkHost(text)] if text else [], "host of the far broker")
]
Prefix: TypeAlias = Annotated[
    str, _a_prefix, Declares(lambda text: [Told(f"{text}/device/+/config")], "Home Assistant's prefix")
]
