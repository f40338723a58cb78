"""Commands from the wire: each is answered, none kills the daemon."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.world import Broker, Eyes, House, Running, Wanted


@pytest.fixture
def online(cellar: House, eyes: Eyes) -> Running:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    return running


def in_s(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


REFUSED: list[tuple[str, bytes, str]] = [
    ("read", b"", "the payload is empty"),
    ("read", b" \n", "the payload is empty"),
    ("read", b"\xff\xfe", "the payload is not UTF-8 text"),
    ("read", b"x" * 1_000_000, "the payload has 1000000 bytes; at most 65536 are read"),
    ("read", b"NaN", "NaN is not a finite number"),
    ("read", b"-Infinity", "-Infinity is not a finite number"),
    ("read", b"1e400", "a number in the payload is too large"),
    ("read", b"1" * 5000, "a whole number in the payload has more than 18 digits"),
    ("read", b"[" * 60_000, "the payload is nested too deeply"),
    ("read", b'{"id":"\\ud800"}', "the payload escapes half a surrogate pair"),
    ("read", b"0042", "send now"),
    ("read", b'{"id": "7", "x": 1}', "no key 'x'; an object may have id, before"),
    ("log", b'{"level": "debug", "lvl": 1}', "no key 'lvl'; an object may have level, id, before"),
    ("log", b"loud", "no log level 'loud'; choose from debug, info, warning, error"),
    ("log", b"3", 'send a word, or {"level": "…"}'),
    ("raed", b"now", "no action 'raed'; did you mean 'read'?"),
    ("un known", b"now", "no action 'un known'; choose from log, read"),
    ("read", b'{"before": "yesterday"}', "'yesterday' is not a time such as 2026-11-20T20:31:07Z"),
    ("read", b'{"before": "2100-01-01T00:00:00"}', "'2100-01-01T00:00:00' has no time zone; end it with Z"),
    ("read", b'{"before": 3}', "'before' is not text"),
    ("read", b'{"before": "2026-01-01T00:00:00Z"}', "expired: 'before' was 2026-01-01T00:00:00Z"),
]


def test_what_cannot_be_obeyed_is_refused_with_the_reason(online: Running, eyes: Eyes) -> None:
    for action, payload, reason in REFUSED:
        answer = eyes.ask("cm/cellar", action, payload)
        assert list(answer) == ["action", "id", "result", "reason", "time"]
        assert (answer["action"], answer["result"]) == (action, "refused")
        assert answer["reason"].startswith(reason), payload[:40]
    assert eyes.ask("cm/cellar", "read", "now")["result"] == "done"
    assert online.process.poll() is None


@pytest.mark.parametrize(
    ("payload", "identity"),
    [
        ("now", None),
        ("{}", None),
        ('{"id": "7"}', "7"),
        ('{"id": 7}', 7),
        (f'{{"id": "{"x" * 200}"}}', "x" * 100),
        ('{"id": [1]}', None),
        (lambda: f'{{"id": "8", "before": "{in_s(60)}"}}', "8"),
    ],
)
def test_read_reads_now_and_answers_with_the_id(
    house: House, broker: Broker, eyes: Eyes, payload: Any, identity: Any
) -> None:
    house.write(broker.port)
    house.thermometer(every_s=3600)
    house.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    house.probe("cellar", 15000)
    answer = eyes.ask("cm/cellar", "read", payload() if callable(payload) else payload)
    assert (answer["action"], answer["id"], answer["result"], answer["reason"]) == ("read", identity, "done", None)
    eyes.wait_value("cm/cellar/data/temperature", 15.0)


@pytest.mark.parametrize("payload", ["debug", '{"level": "debug", "id": 3}'])
def test_log_sets_the_level(house: House, broker: Broker, eyes: Eyes, payload: str) -> None:
    house.write(broker.port, log='level = "error"')
    house.thermometer(every_s=0.1)
    running = house.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    assert running.log == ""
    assert eyes.ask("cm/cellar", "log", payload)["result"] == "done"
    running.wait_log("debug cm/cellar: read (")


@pytest.mark.parametrize("order", ["retained while we are there", "retained before we came"])
def test_a_retained_command_is_refused(house: House, broker: Broker, eyes: Eyes, order: str) -> None:
    house.write(broker.port)
    house.thermometer()
    if order == "retained before we came":
        eyes.publish("cm/cellar/action/log", "error", retain=True)
    running = house.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    if order == "retained while we are there":
        eyes.publish("cm/cellar/action/log", "error", retain=True)

    def answer(seen: list[Any]) -> Any:
        return [one.value for one in seen if one.topic == "cm/cellar/status/action"]

    (refusal,) = eyes.wait(answer, "an answer")
    assert (refusal["result"], refusal["action"]) == ("refused", "log")
    assert refusal["reason"].startswith("retained")
    running.wait_log("debug cm/cellar: read (", count=3)


def test_a_retained_command_is_refused_by_a_client_of_mqtt_3(house: House, broker: Broker, eyes: Eyes) -> None:
    """In 3.1.1 only one that was retained before we subscribed can be told from a fresh one (docs/TOPICS.md)."""
    house.write(broker.port, broker='protocol = "3.1.1"')
    house.thermometer()
    eyes.publish("cm/cellar/action/log", "error", retain=True)
    house.run()
    eyes.wait(lambda seen: [one for one in seen if b"retained" in one.payload and one.topic.endswith("/action")], "it")


def test_a_message_that_no_pi_should_hold_is_not_even_sent_to_us(online: Running, eyes: Eyes) -> None:
    eyes.publish("cm/cellar/action/read", b"x" * 3_000_000)
    assert eyes.ask("cm/cellar", "read", "now")["result"] == "done"
    assert len(eyes.on("cm/cellar/status/action")) == 1
    assert online.process.poll() is None


def test_every_command_of_a_flood_is_answered(cellar: House, eyes: Eyes) -> None:
    """Each that reaches us: a broker drops what it has no room for, at QoS 0."""
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    eyes.pour("cm/cellar/action/log", [f'{{"id":{number},"level":"debug"}}' for number in range(900)])
    eyes.ask("cm/cellar", "log", '{"id":"last","level":"debug"}')

    def done() -> int:
        return len(running.logged("command done (action=log"))

    answers: Wanted = lambda seen: [one.value["id"] for one in seen if one.topic == "cm/cellar/status/action"]  # noqa: E731
    eyes.wait(lambda seen: "last" in answers(seen) and len(answers(seen)) == done(), "as many answers as commands")
    numbers = [identity for identity in answers(eyes.seen) if identity != "last"]
    assert numbers == sorted(numbers)
    assert len(numbers) > 100


def test_a_read_that_fails_without_a_word_is_refused_all_the_same(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.device("odd", 'kind = "support.odd_devices.Odd"\nhook = "read"\nerror = "Silent"\ndiary = "diary"\n')
    house.run("odd")
    eyes.wait_value("cm/odd/status/state", "fault")
    assert eyes.ask("cm/odd", "read", "now")["reason"] == "OSError"


def test_the_wire_cannot_forge_a_log_line(online: Running, eyes: Eyes) -> None:
    eyes.ask("cm/cellar", "log", "x\n2026-01-01T00:00:00Z error cm/cellar: forged\x1b[2J\u009b")
    assert not [line for line in online.log.splitlines() if line.startswith("2026-01-01")]
    assert "\x1b" not in online.log
    assert "\u009b" not in online.log
