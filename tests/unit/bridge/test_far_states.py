"""However words, cuts and our own messages overtake each other: in the end each far state is true."""

from collections import deque
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.bridge.far_states import UNREACHABLE, FarStates, Flow
from bootstrap.bridge.newest_told import NewestTold

if TYPE_CHECKING:
    from bootstrap.device import ThenTold

TOPIC = "cabin/lamp/status/state"
WORDS = (b"online", b"fault", b"lost")
STEPS = st.lists(st.sampled_from(["cut", "mend", "hear", "take", *(word.decode() for word in WORDS)]), max_size=40)


class World:
    """A far site, a bridge, and our broker, which handles one message after the other and tells us in that order."""

    def __init__(self) -> None:
        self.truth = WORDS[0]
        self.linked = True
        self.here = b""  # what our broker retains
        self.coming: deque[tuple[str, bytes, ThenTold | None]] = deque()  # from our broker to us
        self.going: deque[tuple[bytes, ThenTold]] = deque()  # from us to our broker
        self.states = FarStates(NewestTold(lambda _topic, payload, then: self.going.append((payload, then))))
        self.mend()

    def bridged(self) -> None:
        self.here = self.truth
        self.coming.append(("word", self.truth, None))

    def cut(self) -> None:
        self.linked = False
        self.coming.append(("link", b"0", None))

    def mend(self) -> None:
        self.linked = True
        self.coming.append(("link", b"1", None))
        self.bridged()

    def hear(self) -> None:
        """We handle the next message of our broker."""
        if self.coming:
            what, payload, then = self.coming.popleft()
            if what == "word":
                self.states.on_state(TOPIC, payload, stored=False)
            elif what == "link":
                self.states.set_flow(Flow.UP if payload == b"1" else Flow.DOWN)
            elif then:
                then("sent", "")

    def take(self) -> None:
        """Our broker handles our next message, and acknowledges it."""
        if self.going:
            self.here, then = self.going.popleft()
            self.coming.append(("ack", b"", then))

    def do(self, step: str) -> None:
        if step in ("cut", "mend"):
            if self.linked is (step == "cut"):
                getattr(self, step)()
        elif step in ("hear", "take"):
            getattr(self, step)()
        else:
            self.truth = step.encode()
            if self.linked:
                self.bridged()

    def settle(self) -> None:
        while self.coming or self.going:
            self.hear()
            self.take()


@given(STEPS)
def test_the_last_word_is_true(steps: list[str]) -> None:
    world = World()
    for step in steps:
        world.do(step)
    world.settle()
    assert world.here == (world.truth if world.linked else UNREACHABLE)
    assert world.states.doubtful == []


def test_a_far_site_that_says_nothing_again_leaves_doubt_until_it_is_asked() -> None:
    world = World()
    world.settle()
    world.cut()
    world.settle()
    world.linked = True
    world.coming.append(("link", b"1", None))  # and no word of the lamp
    world.settle()
    assert (world.here, world.states.doubtful) == (UNREACHABLE, [TOPIC])
    world.states.settle(TOPIC, b"fault", asked_at=float("inf"))
    world.settle()
    assert (world.here, world.states.doubtful) == (b"fault", [])


def test_a_word_that_came_after_the_question_is_newer_than_the_answer() -> None:
    world = World()
    world.settle()
    world.states.settle(TOPIC, b"lost", asked_at=0.0)
    world.settle()
    assert world.here == WORDS[0]


def test_what_was_cleared_is_not_said_again() -> None:
    world = World()
    world.settle()
    world.states.on_state(TOPIC, b"", stored=False)
    world.cut()
    world.settle()
    assert (world.states.topics, world.here) == ([], WORDS[0])
