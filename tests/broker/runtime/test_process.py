"""The life of a daemon: every kind of start and end, what it says to systemd, and what it costs while it waits."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootstrap.logs import log
from support.paths import INJECT, STUCK
from support.world import PATIENCE_S, Broker, Eyes, House, Running, Seen, Supervisor, Wires, eventually, retained

STATE = "cm/odd/status/state"


@pytest.fixture
def odd(house: House, broker: Broker) -> House:
    house.write(broker.port)
    return house


def run_odd(house: House, hook: str = "none", error: str = "RuntimeError", more: str = "", **env: str) -> Running:
    house.device(
        "odd", f'kind = "support.odd_devices.Odd"\nhook = "{hook}"\nerror = "{error}"\ndiary = "diary"\n{more}'
    )
    return house.run("odd", program=None, **env)


def diary(house: House) -> list[str]:
    return (house.folder / "diary").read_text().splitlines()


# What a device's hooks may raise.


def test_an_absent_device_is_fault_and_exit_1(odd: House, broker: Broker, eyes: Eyes) -> None:
    running = run_odd(odd, "setup", "OSError")
    assert running.wait() == 1
    assert running.logged("the device is absent")
    assert diary(odd) == ["setup", "teardown"]
    assert retained(broker.port)[STATE] == "fault"
    assert "lost" not in [one.value for one in eyes.on(STATE)]


@pytest.mark.parametrize(
    ("error", "code", "why"), [("OSError", 1, "the device is absent"), ("a pin", 78, "no such pin: ")]
)
def test_what_a_teardown_cannot_close_hides_no_cause(odd: House, error: str, code: int, why: str) -> None:
    odd.device("half", f'kind = "support.odd_devices.HalfOpen"\nerror = "{error}"\n')
    running = odd.run("half", program=None, GPIOZERO_PIN_FACTORY="simulated")
    assert running.wait() == code
    assert running.logged(why)
    assert len(running.logged("teardown failed, too, after a setup that was not completed")) == 1
    assert not running.logged("a bug ended the daemon")
    assert odd.penates("safe", "half", GPIOZERO_PIN_FACTORY="simulated").returncode == code


@pytest.mark.parametrize("error", ["RuntimeError", "ValueError"])
def test_a_bug_in_setup_is_lost_and_exit_70(odd: House, broker: Broker, error: str) -> None:
    running = run_odd(odd, "setup", error)
    assert running.wait() == 70
    assert "Traceback" in running.log
    assert diary(odd) == ["setup", "teardown"]
    assert retained(broker.port)[STATE] == "lost"


@pytest.mark.parametrize("error", ["RuntimeError", "TypeError", "SystemExit"])
def test_a_bug_in_read_is_exit_70(odd: House, error: str) -> None:
    running = run_odd(odd, "read", error)
    assert running.wait() == 70
    assert "in read" in running.log
    assert diary(odd)[-1] == "teardown"


@pytest.mark.parametrize("error", ["OSError", "ValueError"])
def test_a_failed_read_is_a_fault_and_the_daemon_goes_on(odd: House, eyes: Eyes, error: str) -> None:
    running = run_odd(odd, "read", error)
    eyes.wait_value(STATE, "fault")
    count = len(diary(odd))
    eventually(lambda: len(diary(odd)) > count + 3, "it reads on")
    assert len(running.logged("cannot read the device")) == 1
    assert not eyes.on("cm/odd/data/reading")
    assert running.stop() == 0


def test_a_device_that_flaps_does_not_flood_the_log(odd: House, broker: Broker, eyes: Eyes) -> None:
    odd.write(broker.port, log='level = "info"')
    odd.device("odd", 'kind = "support.odd_devices.Flapping"\n')
    running = odd.run("odd")
    eyes.wait(lambda seen: [one for one in seen if one.topic == "cm/odd/data/reading"][30:], "readings")
    assert running.stop() == 0
    failed = running.logged("cannot read the device (")
    assert len(failed) == len(running.logged("info cm/odd: reading again")) == log.LINES
    summary = running.logged('left out repeated messages (message="cannot read the device", lines=')
    assert int(summary[0].split("lines=")[1].rstrip(")")) >= 30 - log.LINES


def test_nothing_to_say_is_no_error(odd: House, eyes: Eyes) -> None:
    running = run_odd(odd, "read", "NoReading")
    eyes.wait_value(STATE, "online")
    eventually(lambda: diary(odd).count("read") > 3, "it reads on")
    assert running.stop() == 0
    assert eyes.on("cm/odd/status/heartbeat")[-1].value["faults"] == 0
    assert not eyes.on("cm/odd/data/reading")


@pytest.mark.parametrize("error", ["OSError", "ValueError"])
def test_an_action_that_cannot_be_done_is_refused(odd: House, eyes: Eyes, error: str) -> None:
    run_odd(odd, "act_set", error)
    eyes.wait_value(STATE, "online")
    assert eyes.ask("cm/odd", "set", "on") | {"time": ""} == {
        "action": "set",
        "id": None,
        "result": "refused",
        "reason": "odd",
        "time": "",
    }


@pytest.mark.parametrize("command", ["on", "wrong"])
def test_a_bug_in_an_action_is_exit_70(odd: House, eyes: Eyes, command: str) -> None:
    running = run_odd(odd, "act_set" if command == "on" else "none")
    eyes.wait_value(STATE, "online")
    eyes.publish("cm/odd/action/set", command)
    assert running.wait() == 70
    eyes.wait_value(STATE, "lost")
    assert diary(odd)[-1] == "teardown"


def test_an_action_may_bring_a_reading(odd: House, eyes: Eyes) -> None:
    run_odd(odd, more="every_s = 3600\n")
    eyes.wait_value(STATE, "online")
    assert eyes.ask("cm/odd", "set", "7")["result"] == "done"
    eyes.wait_value("cm/odd/data/level", 7)
    answer = eyes.ask("cm/odd", "set", "11")
    assert (answer["result"], answer["reason"]) == ("refused", "11 V is not within 0 to 10")
    assert [one.value["seq"] for one in eyes.on("cm/odd/data/reading")] == [1, 2]


def test_a_bug_in_teardown_is_exit_70(odd: House, eyes: Eyes) -> None:
    running = run_odd(odd, "teardown")
    eyes.wait_value(STATE, "online")
    assert running.stop() == 70
    eyes.wait_value(STATE, "stopped")


def test_values_as_they_go_on_the_wire(odd: House, eyes: Eyes) -> None:
    run_odd(odd)
    eyes.wait_value(STATE, "online")
    eyes.wait_value("cm/odd/data/flag", value=True)
    topics = {one.topic: one.payload for one in eyes.seen}
    assert topics["cm/odd/data/level"] == b"5"
    assert topics["cm/odd/data/word"] == b"open"
    assert topics["cm/odd/data/flag"] == b"true"
    about = eyes.on("cm/odd/status/about")[0].value
    assert list(about["actions"]) == ["log", "read", "set"]
    assert {name: measure["unit"] for name, measure in about["measures"].items()} == {
        "level": "V",
        "word": "str",
        "flag": "bool",
    }


# An exception of our own, wherever the loop calls.

TARGETS = [
    "bootstrap.runtime.actions:Actions.handle",
    "bootstrap.runtime.actions:Actions._report",
    "bootstrap.mqtt.connection:Connection._note",
    "bootstrap.mqtt.connection:Connection._handle",
    "bootstrap.mqtt.connection:Connection._keep_alive",
    "bootstrap.mqtt.connection:Connection._on_ready",
    "bootstrap.mqtt.connection:Connection._stop_watching",
    "bootstrap.mqtt.connection:Connection._watch",
    "bootstrap.mqtt.connection:Connection.close",
    "bootstrap.mqtt.connection:Connection.publish",
    "bootstrap.mqtt.connection:Connection.subscribe",
    "bootstrap.mqtt.connection:_Farewell._finish",
    "bootstrap.mqtt.connection:_Farewell._read",
    "bootstrap.mqtt.session:Session._connected",
    "bootstrap.mqtt.session:Session._create_socket",
    "bootstrap.mqtt.session:Session._disconnected",
    "bootstrap.mqtt.session:Session._handle_packets",
    "bootstrap.mqtt.session:Session._published",
    "bootstrap.mqtt.session:Session._subscribed",
    "bootstrap.mqtt.session:Session.keep_alive",
    "bootstrap.mqtt.address:BrokerAddress.connect_options",
    "bootstrap.mqtt.connect:socket.create_connection",
    "bootstrap.mqtt.delivery:Delivery._check_pubacks",
    "bootstrap.mqtt.delivery:Delivery.on_puback",
    "bootstrap.mqtt.delivery:Delivery.pump",
    "bootstrap.mqtt.attempts:Attempts._connected",
    "bootstrap.mqtt.attempts:Attempts._failed",
    "bootstrap.mqtt.link:Link._begin",
    "bootstrap.mqtt.link:Link._connect",
    "bootstrap.mqtt.link:Link._connected",
    "bootstrap.mqtt.link:Link._lost",
    "bootstrap.mqtt.link:Link.on_closed",
    "bootstrap.mqtt.link:Link.on_connack",
    "bootstrap.mqtt.link:Link.on_message",
    "bootstrap.mqtt.link:Link.on_pingresp",
    "bootstrap.mqtt.requests:Requests.on_suback",
    "bootstrap.runtime.measure_health:MeasureHealth.record_good",
    "bootstrap.runtime.measure_health:MeasureHealth.validate",
    "bootstrap.runtime.process:Process._stop",
    "bootstrap.runtime.heartbeat:Heartbeat._tick",
    "bootstrap.runtime.heartbeat:Heartbeat.publish",
    "bootstrap.runtime.inbound:Inbound.on_connected",
    "bootstrap.runtime.inbound:Inbound.on_disconnected",
    "bootstrap.runtime.inbound:Inbound.on_message",
    "bootstrap.runtime.twins:Twins.on_heartbeat",
    "bootstrap.runtime.sensor:Sensor._beat",
    "bootstrap.eventloop.loop:Loop._run_timers",
    "bootstrap.eventloop.loop:Signals._receive",
    "bootstrap.outbox.outbox:Outbox.acknowledged",
    "bootstrap.outbox.outbox:Outbox.put_history",
    "bootstrap.outbox.outbox:Outbox.put_once",
    "bootstrap.outbox.outbox:Outbox.put_state",
    "bootstrap.outbox.outbox:Outbox.connection_lost",
    "bootstrap.outbox.outbox:Outbox.send",
    "bootstrap.runtime.reporter:Reporter.correct_state",
    "bootstrap.runtime.reporter:Reporter.publish_answer",
    "bootstrap.runtime.reporter:Reporter.publish_measured",
    "bootstrap.runtime.reporter:Reporter.publish_reading",
    "bootstrap.runtime.reporter:Reporter.publish_state",
    "bootstrap.runtime.blocking_read:BlockingRead.start",
    "bootstrap.runtime.blocking_read:BlockingRead._ended",
    "bootstrap.runtime.bus_lock:BusLock.__enter__",
    "bootstrap.runtime.device_calls:DeviceCalls.start",
    "bootstrap.runtime.device_calls:DeviceCalls._judge",
    "bootstrap.runtime.sampler:Sampler._tick",
    "bootstrap.runtime.sampler:Sampler.read",
    "bootstrap.eventloop.threads:Inbox.receive",
    "bootstrap.eventloop.threads:Sender.send",
    "bootstrap.eventloop.threads:Worker._finished",
    "bootstrap.eventloop.threads:WorkerCall.finish",
    "bootstrap.eventloop.threads:WorkerCall.run",
]


@pytest.mark.exact  # a thread that ends the process sometimes crashes coverage's tracer in another one
@pytest.mark.parametrize("target", TARGETS)
def test_it_never_lives_on_deaf(house: House, broker: Broker, eyes: Eyes, target: str) -> None:
    """Whatever of ours raises, wherever: the process ends with 70, and says where."""
    house.write(broker.port, top="heartbeat_s = 0.3")
    house.thermometer(every_s=0.1)
    eyes.publish("cm/cellar/status/heartbeat", "garbage", retain=True)
    running = house.run(program=[INJECT, target])
    eventually(lambda: running.process.poll() is not None or eyes.on("cm/cellar/status/state"), "it lives or ends")
    for stimulus in (say_lost, send_a_command, freeze, restart, stop):
        if ends_within(running, 0.3):
            break
        stimulus(running, broker, eyes)
    assert running.wait() == 70
    assert "InjectedError" in running.log


def ends_within(running: Running, seconds: float) -> bool:
    try:
        running.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def say_lost(_running: Running, _broker: Broker, eyes: Eyes) -> None:
    eyes.publish("cm/cellar/status/state", "lost", retain=True)


def send_a_command(_running: Running, _broker: Broker, eyes: Eyes) -> None:
    eyes.publish("cm/cellar/action/read", "now")


def freeze(running: Running, broker: Broker, _eyes: Eyes) -> None:
    broker.send(signal.SIGSTOP)
    ends_within(running, 1.2)
    broker.send(signal.SIGCONT)


def restart(running: Running, broker: Broker, _eyes: Eyes) -> None:
    broker.stop()
    ends_within(running, 1.2)
    broker.start()


def stop(running: Running, _broker: Broker, _eyes: Eyes) -> None:
    if running.process.poll() is None:
        running.send(signal.SIGTERM)


# What the supervisor is told.


def test_systemd_is_told_ready_alive_and_stopping(cellar: House, supervisor: Supervisor) -> None:
    running = cellar.run(NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="400000")
    ready = supervisor.wait("READY=1")
    for _ in range(4):
        supervisor.wait("WATCHDOG=1")
    told = supervisor.told_until("WATCHDOG=1") + supervisor.told_until("WATCHDOG=1")
    status = [line for line in told if line.startswith("STATUS=online; connected to the broker; last reading 20")]
    assert re.fullmatch(r"[^;]*;[^;]*; last reading [0-9-]{10} [0-9:]{8}", status[-1])
    assert 0.7 < time.monotonic() - ready < 3
    running.send(signal.SIGTERM)
    supervisor.wait("STOPPING=1")
    assert running.wait() == 0


def test_a_watchdog_meant_for_another_process_is_not_ours(cellar: House, eyes: Eyes, supervisor: Supervisor) -> None:
    running = cellar.run(NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="100000", WATCHDOG_PID="1")
    eyes.wait_value("cm/cellar/status/state", "online")
    running.send(signal.SIGTERM)
    assert "WATCHDOG=1" not in supervisor.told_until("STOPPING=1")


def test_a_read_that_hangs_withholds_the_watchdog_and_sigabrt_shows_where(
    odd: House, eyes: Eyes, supervisor: Supervisor
) -> None:
    running = run_odd(odd, NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="200000")
    eyes.wait_value(STATE, "online")
    eyes.publish("cm/odd/action/set", "hang")
    supervisor.falls_silent(1.0)
    running.send(signal.SIGABRT)
    assert running.wait() == -signal.SIGABRT
    assert "in act_set" in running.log
    eyes.wait_value(STATE, "lost")


def test_a_supervisor_that_died_before_we_could_ask_to_be_told() -> None:
    """Between the fork and that. A timer set by it ends the process by SIGALRM."""
    code = "import os, time; from bootstrap.runtime import parent_death as orphan; orphan.END_S = 0.1; "
    code += "ear, voice = os.pipe(); os.close(voice); orphan.die_with(ear); time.sleep(30)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == -signal.SIGALRM


def test_a_supervisor_that_dies_ends_a_process_that_was_suspended() -> None:
    """Not so another SIGCONT, such as that of a shell: the process goes on to the next stop."""
    code = "import os, signal, time; from bootstrap.runtime import parent_death as orphan; orphan.END_S = 0.1; "
    code += "orphan.die_with(0); stop = lambda: os.kill(os.getpid(), signal.SIGSTOP); stop(); stop(); time.sleep(600)"
    reader, writer = os.pipe2(os.O_CLOEXEC)
    with subprocess.Popen([sys.executable, "-c", code], stdin=reader) as process:
        os.close(reader)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        process.send_signal(signal.SIGCONT)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        os.close(writer)
        assert process.wait(120) == -signal.SIGALRM


@pytest.mark.parametrize("part", ["reader", "link"])
def test_a_part_that_never_moves_again_withholds_the_watchdog(cellar: House, supervisor: Supervisor, part: str) -> None:
    running = cellar.run(
        program=[STUCK, part],
        NOTIFY_SOCKET=supervisor.address,
        WATCHDOG_USEC="400000",
    )
    supervisor.wait("READY=1")
    running.wait_log(f'no progress; the watchdog is not notified (stuck=["{part}"]')
    supervisor.falls_silent(1.0)
    assert running.stop() == 0


def test_an_absent_broker_withholds_nothing(cellar: House, broker: Broker, supervisor: Supervisor) -> None:
    broker.stop()
    running = cellar.run(NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="400000")
    for _ in range(20):
        supervisor.wait("WATCHDOG=1")
    assert not running.logged("no progress")
    assert running.stop() == 0


def test_slow_commands_in_a_row_starve_neither_watchdog_nor_signals(
    odd: House, eyes: Eyes, supervisor: Supervisor
) -> None:
    running = run_odd(odd, NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="2000000")
    eyes.wait_value(STATE, "online")
    supervisor.wait("WATCHDOG=1")
    eyes.pour("cm/odd/action/set", ["slow"] * 40)
    before = time.monotonic()
    assert supervisor.wait("WATCHDOG=1") - before < 2
    before = time.monotonic()
    assert supervisor.wait("WATCHDOG=1") - before < 2
    running.send(signal.SIGTERM)
    before = time.monotonic()
    assert supervisor.wait("STOPPING=1") - before < 2
    assert running.wait() == 0
    assert "no acknowledgement" not in running.log


def test_edges_while_it_stops_do_not_make_it_online_again(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    running = wires.run("door", 'kind = "door"\npin = 17\nbounce_s = 0\n')
    eyes.wait_value("cm/door/status/state", "online")
    broker.send(signal.SIGSTOP)
    wires.line(17).drive(False)
    running.send(signal.SIGTERM)
    running.wait_log("stopping")
    wires.line(17).drive(True)
    time.sleep(0.2)
    broker.send(signal.SIGCONT)
    assert running.wait() == 0
    eyes.wait_value("cm/door/status/state", "stopped")
    assert eyes.on("cm/door/status/state")[-1].value == "stopped"


def test_a_bug_in_the_first_read_is_lost_on_the_wire_too(odd: House, eyes: Eyes) -> None:
    running = run_odd(odd, "read")
    assert running.wait() == 70
    eyes.wait_value(STATE, "lost")


def test_no_stderr_is_no_reason_to_die(cellar: House, eyes: Eyes) -> None:
    shell = f'exec "{sys.executable}" -m penates run cellar --config "{cellar.folder}" 2>&-'
    process = subprocess.Popen(["sh", "-c", shell], env=cellar.env())
    eyes.wait_value("cm/cellar/status/state", "online")
    process.terminate()
    assert process.wait(PATIENCE_S) == 0


# Ends.


def test_a_second_signal_stops_at_once(house: House) -> None:
    house.write(1)
    house.thermometer()
    running = house.run()
    running.wait_log("debug cm/cellar: read (")
    began = time.monotonic()
    running.send(signal.SIGTERM)
    running.wait_log("stopping")
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert time.monotonic() - began < 2
    assert running.logged("the broker has not acknowledged everything (left=")


def test_a_stop_without_a_broker_waits_a_little_and_says_what_is_left(house: House) -> None:
    house.write(1)
    house.thermometer(every_s=3600)
    running = house.run()
    running.wait_log("no broker")
    began = time.monotonic()
    assert running.stop() == 0
    assert 4 < time.monotonic() - began < 8
    assert running.logged("the broker has not acknowledged everything (left=1, state_told=false)")


def test_a_teardown_that_hangs_is_cut_and_shown(odd: House, eyes: Eyes) -> None:
    running = run_odd(odd, "hang")
    eyes.wait_value(STATE, "online")
    assert running.stop() == 70
    assert running.logged("the shutdown hangs; ended by force")
    assert "in teardown" in running.log
    eyes.wait_value(STATE, "stopped")


def test_a_lingering_zeromq_socket_is_named_with_the_line_that_made_it(tmp_path: Path) -> None:
    script = tmp_path / "linger.py"
    script.write_text(
        "import zmq\n"
        "from bootstrap.eventloop import threads as sockets\n"
        "from bootstrap.logs import log\n"
        "from bootstrap.runtime import shutdown_guard as guard\n"
        "log.start('cm/cellar', 'info', 'text')\n"
        "made = sockets.Sockets()\n"
        "left_open = made.open(zmq.PUSH)\n"
        "guard.ShutdownGuard(made, 0.3).arm()\n"
        "made.end()\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 70
    assert ended.stderr.count(f'"{script}:7"') == 2
    assert "in end" in ended.stderr


def test_a_name_server_that_hangs_stops_neither_reading_nor_the_end(house: House) -> None:
    """The worker's call never comes back; nothing waits for it."""
    house.write(1)
    house.thermometer()
    script = house.folder / "slow_names.py"
    script.write_text(
        "import socket, sys, time\n"
        "from penates.__main__ import main\n"
        "socket.create_connection = lambda *a, **k: time.sleep(3600)\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    running = house.run(program=[str(script)])
    running.wait_log("debug cm/cellar: read (", count=3)
    running.send(signal.SIGTERM)
    running.wait_log("stopping")
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert running.logged("abandoned a call that does not end")


def test_the_lock_has_its_place(cellar: House, tmp_path: Path) -> None:
    for name, place in (
        ("RUNTIME_DIRECTORY", tmp_path / "run"),
        ("XDG_STATE_HOME", tmp_path / "user"),
        ("STATE_DIRECTORY", tmp_path / "state"),
    ):
        other = {} if name == "XDG_STATE_HOME" else {"STATE_DIRECTORY": str(tmp_path / "none")}
        running = cellar.run(program=None, **{"STATE_DIRECTORY": "", **other, name: str(place)})
        running.wait_log("connected (")
        folder = place / "penates" if name == "XDG_STATE_HOME" else place
        assert (folder / "cm.cellar.lock").read_text() == f"{running.pid}\n"
        assert running.stop() == 0


def test_nowhere_to_put_the_lock_is_a_clear_end(cellar: House, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    running = cellar.run(STATE_DIRECTORY=str(tmp_path / "file"))
    assert running.wait() == 78
    assert running.logged("cannot create the lock")


# What it costs while nothing happens.


def wakeups(house: House, broker: Broker, period_s: int, periods: int) -> float:
    """Voluntary wake-ups in one heartbeat period, over all threads; keepalive and heartbeat come as often."""
    house.write(broker.port, top=f"heartbeat_s = {period_s}", broker=f"keepalive_s = {period_s}", log='level = "info"')
    house.thermometer(every_s=3600)
    running = house.run()
    running.wait_log("connected (")
    eyes = Eyes(broker.port)

    def beat(seen: list[Seen]) -> list[Seen]:
        return [one for one in seen if one.topic.endswith("heartbeat") and not one.value["uptime_s"] < 1]

    eyes.wait(beat, "a heartbeat", 2 * period_s)
    before = running.wakeups()
    eyes.wait(lambda seen: beat(seen)[periods:], "heartbeats", (periods + 1) * period_s)
    eyes.close()
    return (running.wakeups() - before) / periods


@pytest.mark.exact
@pytest.mark.long
def test_an_idle_daemon_hardly_wakes(house: House, broker: Broker) -> None:
    assert wakeups(house, broker, period_s=8, periods=2) <= 6


@pytest.mark.exact
@pytest.mark.soak
@pytest.mark.timeout(400)
def test_an_idle_daemon_wakes_at_most_six_times_a_minute(house: House, broker: Broker) -> None:
    assert wakeups(house, broker, period_s=60, periods=3) <= 6


def test_no_thread_is_left_over_when_nothing_is_asked(cellar: House) -> None:
    """The loop and ZeroMQ's reaper, which sleeps; a worker exists only while it works."""
    running = cellar.run()
    running.wait_log("connected (")
    threads = Path(f"/proc/{running.pid}/task")
    eventually(lambda: len(list(threads.iterdir())) == 2, "two threads")
    names = {(thread / "comm").read_text().strip() for thread in threads.iterdir()}
    assert any("Reaper" in name for name in names)
