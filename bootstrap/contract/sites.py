"""Names of a bridge between two sites: the users at the broker that is called, and the topics that tell of the link."""

from bootstrap.contract.topics import ID_RULE, is_id

BRIDGE = "penates-bridge"  # the first level of the topics by which Mosquitto tells whether a connection is up
HISTORY, STATE = "history", "state"
CONNECTIONS = (HISTORY, STATE)
HEARTBEATS = "heartbeats"
# The names below a sensor's `status`. A link carries all but those that are never bridged. A metered one carries those
# of a sensor and of a bridge; what is thinned is in the bridge's `heartbeats`.
OF_A_SENSOR = ("about", "state", "unknown")
OF_A_BRIDGE = ("answer", HEARTBEATS, "question")
HEARTBEAT = "heartbeat"
THINNED = ("health", HEARTBEAT)
NEVER_BRIDGED = ("action", "doctor", "recording")  # the daemons bring answers; the others are for one site alone
SITE_RULE = f"{ID_RULE}, and at most 48 of them"
LONGEST = 48  # characters, so that the names of its users are ids, too


def is_site(text: str) -> bool:
    """Return whether `text` may be the name of a site."""
    return is_id(text) and len(text) <= LONGEST


def site_user(site: str) -> str:
    """Return the user by which the bridge daemon of a site logs in at the broker that it calls."""
    return f"site-{site}"


def connection_user(site: str, connection: str) -> str:
    """Return the user of one of the two connections by which a site's broker calls another one."""
    return f"{site_user(site)}-{connection}"


def site_users(site: str) -> list[str]:
    """Return all users of a site at the broker that it calls."""
    return [site_user(site), *(connection_user(site, one) for one in CONNECTIONS)]


def notification(site: str, connection: str) -> str:
    """Return the topic, alike on both brokers, that says whether this connection of the calling site is up."""
    return f"{BRIDGE}/{site}/{connection}"


def caller_of(link: str) -> str | None:
    """Return the site that calls, from the topic of the state connection; None for any other topic."""
    match link.split("/"):
        case [str(first), site, str(last)] if (first, last) == (BRIDGE, STATE) and is_site(site):
            return site
    return None
