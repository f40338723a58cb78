"""What a device hears from a child or a socket becomes readings; the end of a stream is a fault with its reason."""

import signal
import socket
import time
from pathlib import Path

import pytest

from support.world import Broker, Eyes, House, Running, Wires, eventually

STATE, LEVEL, HEARTBEAT = "cm/radio/status/state", "cm/radio/data/level", "cm/radio/status/heartbeat"


@pytest.fixture
def radio(house: House, broker: Broker) -> House:
    house.write(broker.port, top="heartbeat_s = 0.2")
    return house


def described(program: str, more: str = "") -> str:
    said = f'program = """{program}"""\n' if program else ""
    return f'kind = "support.stream_devices.Radio"\n{said}{more}'


def run(house: House, program: str, more: str = "", **env: str) -> Running:
    house.device("radio", described(program, more))
    return house.run("radio", program=None, **env)


def pids(house: House) -> list[int]:
    """Those that the program has left in a file."""
    file = house.folder / "pids"
    return [int(word) for word in file.read_text().split()] if file.exists() else []


def ended(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_lines_become_readings_and_a_bad_one_is_a_fault(radio: House, eyes: Eyes) -> None:
    running = run(radio, "echo noise; while read line; do echo $line; done")
    eyes.wait_value(STATE, "online")
    eyes.ask("cm/radio", "say", '"{\\"level\\": 5}"')
    eyes.wait_value(LEVEL, 5)
    for bad, why in (('{\\"level\\": 11}', "not within 0 to 10"), ("nonsense", "Expecting value")):
        eventually(lambda: eyes.on(STATE)[-1].value == "online", "it is well")
        since = len(eyes.seen)
        eyes.ask("cm/radio", "say", f'"{bad}"')
        eyes.wait_value(STATE, "fault", since)
        eyes.wait(lambda seen, why=why: [one for one in seen if why in str(one.payload)], why)  # type: ignore[misc]
    assert running.stop() == 0


def test_only_a_good_line_makes_up_for_a_bad_one(radio: House, eyes: Eyes) -> None:
    run(radio, "echo rubbish; read line; echo $line; exec sleep 3600", "every_s = 0.05\n")
    eyes.wait_value(STATE, "fault")
    reads = eyes.on(HEARTBEAT)[-1].value["reads"] if eyes.on(HEARTBEAT) else 0
    eyes.wait(lambda _: [one for one in eyes.on(HEARTBEAT) if one.value["reads"] > reads + 5], "it is read on")
    assert eyes.on(STATE)[-1].value == "fault"
    assert "Expecting value" in eyes.on(HEARTBEAT)[-1].value["why"]
    eyes.ask("cm/radio", "say", '"{\\"level\\": 5}"')
    eyes.wait_value(LEVEL, 5)
    eventually(lambda: eyes.on(STATE)[-1].value == "online", "it is well")


def test_the_end_of_a_child_is_a_fault_with_its_reason_until_it_is_heard_again(radio: House, eyes: Eyes) -> None:
    program = "if mkdir once; then echo 'no stick found' >&2; exit 7; fi; read word; echo $word; exec sleep 3600"
    run(radio, f"cd {radio.folder}; {program}")
    eyes.wait_value(STATE, "fault")
    why = "sh: ended with exit code 7: no stick found"
    eyes.wait(lambda _: [one for one in eyes.on(HEARTBEAT) if one.value["why"] == why], why)
    eventually(lambda: eyes.ask("cm/radio", "say", '"{\\"level\\": 5}"')["result"] == "done", "it runs again")
    eyes.wait_value(STATE, "online")
    eyes.wait_value(LEVEL, 5)


def test_a_socket_that_is_not_connected_yet_is_not_online(radio: House, eyes: Eyes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    running = run(radio, "", f"port = {port}\n")
    eyes.wait_value(STATE, "fault")
    assert [one.value for one in eyes.on(STATE)] in (["starting", "fault"], ["fault"])
    with socket.create_server(("127.0.0.1", port)) as server, server.accept()[0] as peer:
        peer.sendall(b'{"level": 5}\n')
        eyes.wait_value(STATE, "online")
    assert running.stop() == 0


def test_a_flood_leaves_edges_commands_and_heartbeats_on_time(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    wires.house.write(broker.port, top="heartbeat_s = 0.2", log='level = "warning"')
    wires.line(25).drive(False)
    running = wires.run("radio", described("exec yes '{\"level\": 5}'", "pin = 25\n"))
    eyes.wait_value(LEVEL, 5)
    took = []
    for pressed in (True, False) * 5:
        since, began = len(eyes.seen), time.monotonic()
        wires.line(25).drive(pressed)
        eyes.wait_value("cm/radio/data/pressed", pressed, since)
        assert eyes.ask("cm/radio", "log", "warning")["result"] == "done"
        took.append(time.monotonic() - began)
    assert sorted(took)[5] < 2, took
    since = len(eyes.on(HEARTBEAT))
    eyes.wait(lambda _: len(eyes.on(HEARTBEAT)) > since + 2, "heartbeats")
    assert running.stop() == 0


def test_a_stop_ends_the_child_after_its_last_word(radio: House, eyes: Eyes) -> None:
    run_of = f"cd {radio.folder}; trap '' TERM; sleep 3600 & echo $$ $! > pids; read word; echo $word > word; wait"
    running = run(radio, run_of, 'goodbye = "sleep well"\n')
    eyes.wait_value(STATE, "online")
    eventually(lambda: len(pids(radio)) == 2, "its children")
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 6
    assert eventually(lambda: all(map(ended, pids(radio))), "none is left")
    assert (radio.folder / "word").read_text() == "sleep well\n"
    eyes.wait_value(STATE, "stopped")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_a_child_dies_with_its_sensor(radio: House, eyes: Eyes, number: int) -> None:
    running = run(
        radio, f"cd {radio.folder}; trap '' TERM HUP PIPE; sleep 3600 & echo $$ $! > pids; while :; do wait; done"
    )
    eyes.wait_value(STATE, "online")
    eventually(lambda: len(pids(radio)) == 2, "its children")
    running.send(number)
    assert running.wait() == -number
    assert eventually(lambda: all(map(ended, pids(radio))), "none is left")


def test_a_reload_replaces_the_child(radio: House, eyes: Eyes) -> None:
    again = "cd {folder}; echo $$ >> pids; echo '{{\"level\": {level}}}'; exec sleep 3600"
    running = run(radio, again.format(folder=radio.folder, level=5))
    eyes.wait_value(LEVEL, 5)
    radio.device("radio", described(again.format(folder=radio.folder, level=6)))
    running.send(signal.SIGHUP)
    eyes.wait_value(LEVEL, 6)
    first, second = pids(radio)
    assert not Path(f"/proc/{first}").exists(), "reaped"
    assert running.stop() == 0
    assert ended(second)


def test_making_outputs_safe_starts_no_child(radio: House) -> None:
    radio.device("radio", described(f"touch {radio.folder}/started"))
    assert radio.penates("safe", "radio").returncode == 0
    assert not (radio.folder / "started").exists()


def test_a_child_that_prints_without_end_costs_no_memory(radio: House, eyes: Eyes) -> None:
    running = run(
        radio, "echo '{\"level\": 5}'; head -c 1000000000 /dev/zero; echo; echo '{\"level\": 6}'; exec sleep 3600"
    )
    eyes.wait_value(LEVEL, 5)
    before = eyes.wait(lambda _: eyes.on(HEARTBEAT), "a heartbeat")[-1].value["rss_mb"]
    eyes.wait_value(LEVEL, 6)
    assert len(running.logged("bytes without an end are skipped")) == 1
    since = len(eyes.on(HEARTBEAT))
    eyes.wait(lambda _: len(eyes.on(HEARTBEAT)) > since, "a heartbeat")
    assert eyes.on(HEARTBEAT)[-1].value["rss_mb"] - before < 3


def test_a_thousand_lines_are_all_published(radio: House, eyes: Eyes) -> None:
    run(radio, 'for i in $(seq 1000); do echo "{\\\\"level\\\\": $((i % 10))}"; done; exec sleep 3600')
    eyes.wait(lambda _: len(eyes.on("cm/radio/data/reading")) == 1000, "all of them")
    assert [one.value["seq"] for one in eyes.on("cm/radio/data/reading")] == [*range(1, 1001)]


def test_a_bug_in_on_line_ends_the_process_and_the_child(radio: House, eyes: Eyes) -> None:
    running = run(radio, f"cd {radio.folder}; echo $$ > pids; read word; echo $word; exec sleep 3600")
    eyes.wait_value(STATE, "online")
    eyes.ask("cm/radio", "say", '"[1]"')
    assert running.wait() == 70
    assert running.logged("a reading is a dict of measures, not [1]")
    assert ended(pids(radio)[0])
    eyes.wait_value(STATE, "lost")
