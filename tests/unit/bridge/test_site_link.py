"""When the notification of a bridge is believed."""

from bootstrap.bridge.far_states import Flow
from bootstrap.bridge.site_link import SiteLink


class Watched:
    def __init__(self) -> None:
        self.flows: list[Flow] = []
        self.checks = 0
        self.link = SiteLink(self.check, lambda: self.flows.append(self.link.flow), lambda _seconds: None)

    def check(self) -> None:
        self.checks += 1


def test_a_live_word_is_believed() -> None:
    watched = Watched()
    watched.link.on_word(b"1", stored=False)
    watched.link.on_word(b"1", stored=True)
    watched.link.on_word(b"0", stored=False)
    assert (watched.flows, watched.checks) == ([Flow.UP, Flow.DOWN], 0)


def test_a_stored_word_is_believed_with_a_sign() -> None:
    watched = Watched()
    watched.link.on_word(b"1", stored=True)
    watched.link.on_sign()
    watched.link.expire()
    assert (watched.flows, watched.checks) == ([Flow.UNSURE, Flow.UP], 1)


def test_a_stored_word_without_a_sign_is_not_believed_until_one_comes() -> None:
    watched = Watched()
    watched.link.on_word(b"1", stored=True)
    watched.link.expire()
    watched.link.on_sign()
    assert watched.flows == [Flow.UNSURE, Flow.DOWN, Flow.UP]


def test_nothing_is_a_sign_against_the_word() -> None:
    watched = Watched()
    watched.link.on_word(b"0", stored=True)
    watched.link.on_sign()
    watched.link.on_broker_lost("it is away")
    watched.link.on_sign()
    assert watched.flows == []


def test_what_broke_elsewhere_has_an_open_link_checked() -> None:
    """Mosquitto does not say that its bridge was down if nobody told it of the cut."""
    watched = Watched()
    watched.link.on_doubt()
    watched.link.on_word(b"1", stored=False)
    watched.link.on_doubt()
    assert (watched.flows, watched.checks) == ([Flow.UP, Flow.UNSURE], 1)
    watched.link.on_sign()  # only the daemon's own connection was cut
    watched.link.on_doubt()
    watched.link.expire()
    assert watched.flows[2:] == [Flow.UP, Flow.UNSURE, Flow.DOWN]
    watched.link.on_sign()
    assert watched.flows[-1] is Flow.UP
