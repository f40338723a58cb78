"""How long a sensor may be silent: the one rule that decides whether it is alive."""

from bootstrap.contract.topics import State

MISSED = 3  # periods without a message, after which a sensor is silent
GRACE_S = 5.0  # for a message that is still on its way

# States of a sensor that does not count as alive. A bridge says `unreachable` of a far sensor while its link is down.
ENDED: frozenset[State] = frozenset({"stopped", "lost", "unreachable"})


def patience_s(period_s: float) -> float:
    """Return for how many seconds a message that is due every `period_s` seconds may stay away."""
    return MISSED * period_s + GRACE_S


def stale_s(every_s: float) -> float:
    """Return for how many seconds the value of a measure that is read every `every_s` seconds is believed.

    Whoever acts on it does not wait longer: neither the sensor itself, nor a device that listens to it.
    """
    return MISSED * every_s


def is_silent(age_s: float | None, period_s: float) -> bool:
    """Return whether a message that is due every `period_s` seconds, and last arrived `age_s` seconds ago, is missing.

    Without a period or a first message nobody can tell: then it is not missing.
    """
    return period_s > 0 and age_s is not None and age_s > patience_s(period_s)


def is_alive(state: str, heartbeat_age_s: float | None, heartbeat_s: float) -> bool:
    """Return whether a sensor is alive, by its `status/state` and the age of its last heartbeat.

    A broker that was killed cannot publish a last will: then silence is the only sign.
    """
    return bool(state) and state not in ENDED and not is_silent(heartbeat_age_s, heartbeat_s)
