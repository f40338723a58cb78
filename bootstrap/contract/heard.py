"""What a device hears of others, and what it is subscribed to for that."""

from bootstrap.contract.topics import Kind, is_id

VOUCHERS = ("state", "about", "heartbeat")  # below a sender's `status`: whether it is alive, and how often it speaks


def sender_of(text: str) -> tuple[str, str] | None:
    """Return sender and measure if a topic, or a filter of single levels, is a measure of penates; None if not.

    `cm/cellar/data/temperature` is `cm/cellar` and `temperature`; `cm/+/data/+` is `cm/+` and `+`.
    """
    match text.split("/"):
        case [group, sensor, Kind.DATA, name] if all(one == "+" or is_id(one) for one in (group, sensor, name)):
            return f"{group}/{sensor}", name
    return None


def heard_with(text: str) -> list[str]:
    """Return the filters that are subscribed to by who listens to one: of a measure, its sender's state comes first."""
    found = sender_of(text)
    vouchers = [f"{found[0]}/{Kind.STATUS}/{name}" for name in VOUCHERS] if found else []
    return [*vouchers, text]
