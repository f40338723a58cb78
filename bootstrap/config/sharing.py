"""Who gets to know what a sensor measures: what a private one, such as a phone's presence, keeps to its own broker."""

from collections.abc import Collection
from dataclasses import replace

from bootstrap.config.model import SensorSettings, Share, Shared
from bootstrap.contract.topics import Topics, private_group

HISTORY: Shared = "history"
HOME_ASSISTANT: Shared = "homeassistant"
SITES: Shared = "sites"
ALL = frozenset({HISTORY, HOME_ASSISTANT, SITES})
NOTHING = frozenset[str]()


def with_sharing(settings: SensorSettings, share: Share | None) -> SensorSettings:
    """Return the settings of a sensor, and of those that it carries, that share what its owner has set, or their kinds.

    Raises:
        ValueError: the name of the private group would be too long.
    """
    carried = {name: with_sharing(one, share) for name, one in settings.carried.items()}
    shares = _shares(share, private=settings.device.private)
    topics, assistant = settings.topics, settings.homeassistant
    if SITES not in shares:
        topics = Topics(private_group(topics.group), topics.sensor)
    if HOME_ASSISTANT not in shares:
        assistant = replace(assistant, enabled=False)
    return replace(settings, topics=topics, homeassistant=assistant, carried=carried, recorded=HISTORY in shares)


def _shares(share: Share | None, *, private: bool) -> Collection[str]:
    match share:
        case "all":
            return ALL
        case "none":
            return NOTHING
        case None:
            return NOTHING if private else ALL
    return share
