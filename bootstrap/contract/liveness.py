"""How long silence is believed: the one rule by which everybody judges whether a sensor is alive."""

from bootstrap.contract.topics import State

MISSED = 3  # periods without a sign of life, after which there is none
GRACE_S = 5.0  # for a sign that is on its way

ENDED: frozenset[State] = frozenset({"stopped", "lost"})


def patience_s(period_s: float) -> float:
    """Return how long to wait for what comes every `period_s` seconds before it is missing, in seconds."""
    return MISSED * period_s + GRACE_S


def is_silent(age_s: float | None, period_s: float) -> bool:
    """Return whether what comes every `period_s` seconds, and came `age_s` seconds ago, is missing.

    What has no period, or never came, is not: nobody can tell.
    """
    return period_s > 0 and age_s is not None and age_s > patience_s(period_s)


def is_alive(state: str, heartbeat_age_s: float | None, heartbeat_s: float) -> bool:
    """Return whether a sensor is alive, by its `status/state` and the age of its last heartbeat.

    A broker that was killed cannot publish a last will: then only the silence tells.
    """
    return bool(state) and state not in ENDED and not is_silent(heartbeat_age_s, heartbeat_s)
