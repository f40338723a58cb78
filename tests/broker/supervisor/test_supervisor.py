"""The supervisor: one parent, a process for each sensor, and what becomes of them on bad days."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.supervisor.control_socket import SOCKET
from support.paths import QUICK, ROOT, SUPPORT
from support.world import Broker, Eyes, House, Running, Supervisor, Wires, eventually, retained, retained_once

SENSORS = ("attic", "cellar", "kitchen")
TOP = 'state = "state"\n'


@pytest.fixture
def three(house: House, broker: Broker) -> House:
    """Three thermometers."""
    house.write(broker.port, top=TOP, log='level = "info"')
    for sensor in SENSORS:
        house.thermometer(sensor)
    return house


@pytest.fixture
def impatient(three: House, broker: Broker) -> House:
    """Under a supervisor that soon takes a sensor for hung."""
    three.write(broker.port, top=TOP, log='level = "info"\n[supervisor]\nwatchdog_s = 5.0')
    return three


@pytest.fixture
def daemonised(three: House) -> Iterator[House]:
    """With `penates start`."""
    started = three.penates("start")
    assert started.returncode == 0, started.stdout + started.stderr
    yield three
    three.penates("stop")
    eventually(lambda: not three.processes(), "nothing is left")


def odd(house: House, hook: str, error: str = "RuntimeError", sensor: str = "odd") -> None:
    house.device(sensor, f'kind = "support.odd_devices.Odd"\nhook = "{hook}"\nerror = "{error}"\ndiary = "diary"\n')


def back(house: House, name: str, old: int, limit_s: float = 15.0) -> int:
    """Until a sensor is online in another process than before."""

    def again() -> int | None:
        row = house.status()[name]
        return row["pid"] if row["state"] == "online" and row["pid"] != old else None

    pid: int = eventually(again, f"{name} is back", limit_s)
    return pid


# Starting and stopping.


def test_start_leaves_a_supervisor_and_a_process_for_each_sensor(daemonised: House, eyes: Eyes) -> None:
    for sensor in SENSORS:
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    status = daemonised.penates("status")
    assert status.returncode == 0
    assert [line.split()[:3] for line in status.stdout.splitlines()[1:]] == [[s, f"cm/{s}", "online"] for s in SENSORS]
    pids = daemonised.pids()
    assert len(set(pids.values())) == len(SENSORS)
    parents = {int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in pids.values()}
    assert len(parents) == 1
    assert {Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids.values()} == set(SENSORS)
    assert daemonised.penates("start").returncode == 0
    assert daemonised.pids() == pids


def test_stop_ends_all_in_order_and_leaves_nothing(daemonised: House, broker: Broker, eyes: Eyes) -> None:
    eyes.wait_value("cm/cellar/status/state", "online")
    assert daemonised.penates("stop").returncode == 0
    eventually(lambda: not daemonised.processes(), "nothing is left")
    assert not (daemonised.folder / "state" / SOCKET).exists()
    assert {retained(broker.port)[f"cm/{sensor}/status/state"] for sensor in SENSORS} == {"stopped"}
    assert "lost" not in [one.value for sensor in SENSORS for one in eyes.on(f"cm/{sensor}/status/state")]
    status = daemonised.penates("status")
    assert status.returncode == 1
    assert "no supervisor is running" in status.stderr


def test_one_sensor_is_stopped_started_and_restarted_alone(daemonised: House) -> None:
    before = daemonised.pids()
    assert daemonised.penates("stop", "cellar").returncode == 0
    assert daemonised.status()["cellar"]["state"] == "stopped"
    assert daemonised.penates("status").returncode == 1
    assert daemonised.penates("reload").returncode == 0
    assert daemonised.pids() == {**before, "cellar": None}
    assert daemonised.penates("start", "cellar").returncode == 0
    between = daemonised.pids()
    assert between["cellar"]
    assert daemonised.penates("restart", "cellar").returncode == 0
    after = daemonised.pids()
    assert after["cellar"] not in (None, between["cellar"])
    assert {**after, "cellar": 0} == {**before, "cellar": 0}


def test_only_the_sensors_named_are_started(three: House) -> None:
    three.supervise("kitchen")
    assert {name: row["state"] for name, row in three.status().items()} == {
        "attic": "stopped",
        "cellar": "stopped",
        "kitchen": "online",
    }
    assert json.loads(three.penates("start", "--all", "--json").stdout)["sensors"][0]["state"] == "online"


@pytest.mark.parametrize("command", ["start", "stop", "restart"])
def test_an_unknown_name_is_refused_and_nothing_happens(daemonised: House, command: str) -> None:
    before = daemonised.pids()
    refused = daemonised.penates(command, "attic", "celler")
    assert refused.returncode == 78
    assert "devices/celler.toml:1: not there; did you mean 'cellar'?" in refused.stderr
    assert daemonised.pids() == before


def test_a_second_supervisor_is_refused(three: House) -> None:
    three.supervise()
    second = three.penates("supervisor")
    assert second.returncode == 75
    assert "already running, as process" in second.stderr


def test_ctrl_c_at_a_terminal_stops_every_sensor_in_order(three: House, broker: Broker) -> None:
    """It reaches the whole foreground group; the sensors are not in it, or each would be told to stop twice."""
    parent = three.supervise()
    groups = {os.getpgid(pid) for pid in three.pids().values()}
    assert os.getpgid(parent.pid) not in groups
    assert parent.stop(signal.SIGINT) == 0
    assert {retained(broker.port)[f"cm/{sensor}/status/state"] for sensor in SENSORS} == {"stopped"}


def test_nothing_of_the_supervisor_is_open_in_a_sensor(three: House) -> None:
    parent = three.supervise()
    assert len(list(Path(f"/proc/{parent.pid}/task").iterdir())) == 1
    sockets = {str(file.readlink()) for file in Path(f"/proc/{parent.pid}/fd").iterdir()} - {"/dev/null"}
    for pid in three.pids().values():
        own = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
        shared = own & sockets
        # Its output, and the pipe by whose end it sees the supervisor's.
        assert len([name for name in shared if name.startswith("socket:")]) == 0, shared
        assert not any(name.endswith("supervisor.lock") for name in own)


def test_a_supervisor_that_is_stopping_starts_nothing(three: House, broker: Broker) -> None:
    broker.stop()  # so that the stop takes its time
    parent = three.supervise()
    parent.send(signal.SIGTERM)
    parent.wait_log("supervisor: stopping")
    refused = three.penates("start")
    assert (refused.returncode, refused.stderr) == (1, "the supervisor is stopping\n")
    assert parent.wait() == 0


# Bad days.


def test_a_killed_sensor_is_back_alone(daemonised: House) -> None:
    for sensor in SENSORS:
        before = daemonised.pids()
        os.kill(before[sensor], signal.SIGKILL)
        back(daemonised, sensor, before[sensor])
        after = daemonised.pids()
        assert {**after, sensor: 0} == {**before, sensor: 0}
        row = daemonised.status()[sensor]
        assert (row["restarts"], row["error"]) == (1, "killed by SIGKILL")


def test_outputs_of_a_killed_sensor_are_made_safe_before_it_is_back(three: House) -> None:
    lines = Wires(three)
    outputs = 'kind = "support.odd_devices.Outputs"\nfirst_pin = 5\nsecond_pin = "GPIO6"\n'
    three.device("two", outputs)
    running = three.supervise(program=None, **lines.env)
    before = three.pids()
    assert (lines.held(5), lines.held(6)) == ("1", "1")
    os.kill(before["two"], signal.SIGKILL)
    eventually(lambda: (lines.held(5), lines.held(6)) == ("0", "0"), "they are safe")
    eventually(lambda: (lines.held(5), lines.held(6)) == ("1", "1"), "its next process has them")
    back(three, "two", before["two"])
    assert three.status()["two"]["error"] == "killed by SIGKILL"
    assert {name: pid for name, pid in three.pids().items() if name != "two"} == {
        name: pid for name, pid in before.items() if name != "two"
    }
    assert running.stop() == 0
    assert (lines.held(5), lines.held(6)) == ("0", "0")


@pytest.mark.parametrize("code", [0, 1, 3])
def test_outputs_of_a_sensor_that_ends_without_a_word_are_made_safe(three: House, eyes: Eyes, code: int) -> None:
    lines = Wires(three)
    kind = 'kind = "support.odd_devices.Outputs"\nfirst_pin = 5\nsecond_pin = "GPIO6"\n'
    three.device("two", f'{kind}how = "exit {code}"\n')
    three.supervise(program=None, **lines.env)
    before = three.pids()
    assert (lines.held(5), lines.held(6)) == ("1", "1")
    eyes.wait_value("cm/two/status/state", "online")
    eyes.publish("cm/two/action/go", "now")
    eventually(lambda: (lines.held(5), lines.held(6)) == ("0", "0"), "they are safe")
    back(three, "two", before["two"])


@pytest.mark.parametrize("with_broker", [True, False], ids=["broker", "no broker"])
def test_a_killed_supervisor_leaves_no_orphan(three: House, broker: Broker, *, with_broker: bool) -> None:
    if not with_broker:
        broker.stop()
    first = three.supervise()
    orphans = [pid for pid in three.processes() if pid != first.pid]
    assert len(orphans) == len(SENSORS)
    first.stop(signal.SIGKILL)
    three.supervise()
    eventually(lambda: not set(orphans) & set(three.processes()), "the orphans end")
    for sensor in SENSORS:
        back(three, sensor, 0)


@pytest.mark.parametrize("hook", ["setup", "act_set"])
def test_a_sensor_that_hangs_does_not_outlive_its_supervisor(impatient: House, eyes: Eyes, hook: str) -> None:
    odd(impatient, "hang in setup" if hook == "setup" else "none")
    parent = impatient.supervise("odd")
    if hook == "act_set":
        eyes.wait_value("cm/odd/status/state", "online")
        eyes.publish("cm/odd/action/set", "hang")
    eventually(lambda: len(impatient.processes()) == 2, "the sensor runs")
    parent.stop(signal.SIGKILL)
    eventually(lambda: not impatient.processes(), "nobody is left")


def test_what_hangs_while_outputs_are_made_safe_does_not_outlive_its_supervisor(
    impatient: House, eyes: Eyes, tmp_path: Path
) -> None:
    """It would hold the sensor's lock, and so keep it from being started again."""
    text = 'kind = "support.odd_devices.Outputs"\nfirst_pin = 5\nsecond_pin = 6\n'
    impatient.device("odd", f'{text}how = "hang after {tmp_path / "killed"}"\n')
    parent = impatient.supervise("odd", program=None, **Wires(impatient).env)
    eyes.wait_value("cm/odd/status/state", "online")
    (sensor,) = (pid for pid in impatient.processes() if pid != parent.pid)
    (tmp_path / "killed").touch()
    os.kill(sensor, signal.SIGKILL)
    eventually(lambda: {*impatient.processes()} - {parent.pid, sensor}, "its outputs are to be made safe")
    parent.stop(signal.SIGKILL)
    eventually(lambda: not impatient.processes(), "nobody is left")


def test_two_reloads_while_a_removed_sensor_stops(three: House) -> None:
    odd(three, "slow")
    three.supervise()
    (three.folder / "devices" / "odd.toml").unlink()
    reloads = [threading.Thread(target=three.penates, args=("reload",)) for _ in range(2)]
    for reload in reloads:
        reload.start()
    for reload in reloads:
        reload.join()
    eventually(lambda: "odd" not in three.status(), "it is forgotten")
    odd(three, "slow")
    assert three.penates("reload").returncode == 0
    (three.folder / "devices" / "odd.toml").unlink()
    leaving = subprocess.Popen([sys.executable, "-m", "penates", "reload", "--config", three.folder], env=three.env())
    eventually(lambda: three.status().get("odd", {}).get("state") in ("stopping", None), "it stops")
    odd(three, "slow")
    three.penates("reload")
    leaving.wait(120)
    assert eventually(lambda: three.status()["odd"]["state"] == "online", "it is back")


def test_a_removed_sensor_that_is_started_again_is_looked_after(three: House) -> None:
    odd(three, "sluggish")
    three.supervise()
    (three.folder / "devices" / "odd.toml").unlink()
    leaving = subprocess.Popen([sys.executable, "-m", "penates", "reload", "--config", three.folder], env=three.env())
    eventually(lambda: three.status().get("odd", {}).get("state") == "stopping", "it stops")
    odd(three, "sluggish")
    assert three.penates("start", "odd").returncode == 0
    leaving.wait(120)
    before = three.pids()["odd"]
    os.kill(before, signal.SIGKILL)
    back(three, "odd", before)
    assert json.loads(three.penates("reload", "--json").stdout)["changed"] == []


def test_twins_are_faulty_and_only_the_first_runs(three: House) -> None:
    three.device("twin", 'kind = "thermometer"\nserial = "28-cellar"\nbus = "bus"\nsensor = "cellar"\n')
    three.supervise()
    status = three.status()
    assert (status["cellar"]["state"], status["twin"]["state"]) == ("online", "failed")
    assert "cm/cellar is already defined in devices/cellar.toml" in status["twin"]["error"]


def test_a_restart_right_after_a_start_is_no_accident(three: House) -> None:
    three.supervise()
    for _ in range(5):
        restarts = [threading.Thread(target=three.penates, args=("restart", "cellar")) for _ in range(3)]
        for restart in restarts:
            restart.start()
        for restart in restarts:
            restart.join()
    row = three.status()["cellar"]
    assert (row["state"], row["restarts"], row["error"]) == ("online", 0, "")


def test_a_start_that_nobody_waits_for(three: House) -> None:
    odd(three, "slow setup")
    starting = subprocess.Popen([sys.executable, "-m", "penates", "start", "--config", three.folder], env=three.env())
    eventually((three.folder / "state" / SOCKET).exists, "the supervisor is there")
    starting.kill()
    starting.wait()
    assert eventually(lambda: three.status()["odd"]["state"] == "online", "it goes on")
    assert three.penates("stop").returncode == 0


@pytest.mark.parametrize("streams", ["<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_it_starts_without_streams(three: House, streams: str) -> None:
    command = f"{sys.executable} -m penates start --config {three.folder} {streams}"
    subprocess.run(["bash", "-c", command], env=three.env(), check=True, timeout=120)
    assert three.penates("status").returncode == 0
    assert three.penates("stop").returncode == 0


def test_what_a_device_left_behind_dies_with_it(three: House) -> None:
    odd(three, "spawn")
    parent = three.supervise()
    left = eventually(lambda: (three.folder / "diary.pid").exists() and (three.folder / "diary.pid").read_text(), "it")
    before = three.pids()["odd"]
    os.kill(before, signal.SIGKILL)
    back(three, "odd", before)
    eventually(lambda: not Path(f"/proc/{left}").exists() or "Z" in state_of(left), "it is gone")
    assert parent.process.poll() is None


def state_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_flood_without_a_line_end_is_cut(three: House) -> None:
    odd(three, "flood")
    parent = three.supervise()
    before = int(rollup_of(parent.pid, "Rss"))
    eventually(lambda: max(map(len, parent.lines)) > 60_000, "pieces of it are logged")
    assert int(rollup_of(parent.pid, "Rss")) < before + 8000


def test_a_faulty_house_can_be_stopped(daemonised: House) -> None:
    house = daemonised.folder / "house.toml"
    house.write_text("nonsense = 1\n" + house.read_text())
    assert daemonised.penates("status").returncode == 0
    assert "house.toml:1: no setting 'nonsense'" in daemonised.penates("reload").stderr
    assert daemonised.penates("stop").returncode == 0


def test_warming_up_where_there_is_no_loopback(three: House) -> None:
    """In a network of its own, whose loopback is down."""
    command = ["unshare", "-n", sys.executable, "-m", "penates", "supervisor", "--config", str(three.folder)]
    if subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode:
        command = ["unshare", "-rn", *command[2:]]
    parent = Running(command, three.env())
    try:
        parent.wait_log("not preloaded")
        parent.wait_log("cm/cellar: starting")
    finally:
        parent.stop()
        parent.close()


def test_a_clock_that_is_not_set_keeps_nobody_from_warming_up(tmp_path: Path) -> None:
    """A Pi starts in the past: the pretended reading waited for the clock, and was then stored where we stood."""
    future = tmp_path / "future"
    future.touch()
    os.utime(future, (4e9, 4e9))
    script = "from bootstrap.contract import timestamps; from bootstrap.supervisor import preload; "
    script += "timestamps.synchronised = bool; preload.preload()"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=True, timeout=120
    )
    assert (done.stderr, [*tmp_path.iterdir()]) == ("", [future])


def test_a_stopped_process_is_replaced_with_its_stacks_in_the_log(impatient: House) -> None:
    parent = impatient.supervise()
    before = impatient.pids()
    os.kill(before["attic"], signal.SIGSTOP)
    back(impatient, "attic", before["attic"])
    assert {**impatient.pids(), "attic": 0} == {**before, "attic": 0}
    parent.wait_log("hangs; its stacks follow (sensor=attic")
    parent.wait_log('loop.py", line')
    assert impatient.status()["attic"]["error"] == "made no progress for 5 s"


def test_a_sensor_that_hangs_is_replaced_with_its_stacks_in_the_log(impatient: House, eyes: Eyes) -> None:
    odd(impatient, "none")
    parent = impatient.supervise()
    before = impatient.pids()
    eyes.wait_value("cm/odd/status/state", "online")
    eyes.publish("cm/odd/action/set", "hang")
    back(impatient, "odd", before["odd"])
    parent.wait_log('odd_devices.py", line')
    parent.wait_log("in act_set")


def test_a_sensor_that_always_dies_is_started_ever_later_and_logged_once(three: House) -> None:
    odd(three, "setup")
    parent = three.supervise(program=QUICK, QUICK_STEADY_S="60")  # even on a busy machine no life lasts
    eventually(lambda: three.status()["odd"]["restarts"] >= 6, "it is started again and again")
    assert len(parent.wait_log("ended; will be restarted (sensor=odd")) == 1
    assert len(parent.wait_log("cm/odd: starting")) == 1
    assert len(parent.wait_log("error cm/odd: a bug in setup")) == 1
    assert three.status()["odd"]["error"].startswith("a bug in setup: RuntimeError('odd')")
    diary = three.folder / "diary"
    began = [line for line in diary.read_text().splitlines() if line == "setup"]
    assert len(began) >= 6
    assert all(row["state"] == "online" for name, row in three.status().items() if name != "odd")
    odd(three, "none")
    assert three.penates("reload").returncode == 0
    assert three.status()["odd"]["state"] == "online"


def test_another_end_is_news_and_so_is_a_life_that_lasts(three: House) -> None:
    odd(three, "setup")
    parent = three.supervise(program=QUICK)
    eventually(lambda: three.status()["odd"]["restarts"] >= 2, "it is started again")
    # The same settings, another world: the diary cannot be written. At once, since the sensor writes it meanwhile.
    (three.folder / "other").symlink_to(three.folder)
    (three.folder / "other").replace(three.folder / "diary")
    end = "ended; will be restarted (sensor=odd"
    assert "a bug in setup" in parent.wait_log(end)[0]
    eventually(lambda: any("Is a directory" in one for one in parent.logged(end)), "the other end is told")


def test_settings_that_cannot_work_are_not_tried_again(three: House) -> None:
    three.device("door", 'kind = "door"\npin = 17\n')
    parent = three.supervise(GPIOZERO_PIN_FACTORY="nonsense")
    row = three.status()["door"]
    assert (row["state"], row["restarts"], row["pid"]) == ("failed", 0, None)
    assert "no pin factory 'nonsense'" in row["error"]
    parent.wait_log("ended; not restarted until its settings change (sensor=door")


def test_the_supervisor_survives_those_who_ask_nonsense(three: House) -> None:
    three.supervise()
    stops = (
        b'{"do": "stop", "names": [1, {}]}',
        b'{"do": "stop", "names": 5}',
        b'{"do": {}, "house": 1, "names": true}',
    )
    for words in (b"", b"nonsense", b"[]", b'{"do": "dance"}', *stops, b"[" * 60_000, b"1" * 5000, b"x" * 100_000):
        with socket.socket(socket.AF_UNIX) as line:
            descriptor = os.open(three.folder / "state", os.O_PATH)
            line.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")
            os.close(descriptor)
            with contextlib.suppress(OSError):
                line.sendall(words)
                line.shutdown(socket.SHUT_WR)
                line.recv(1000)
    assert {row["state"] for row in three.status().values()} == {"online"}


# Configuration.


def test_a_changed_file_is_taken_over_by_its_sensor_alone(daemonised: House, eyes: Eyes) -> None:
    before = daemonised.pids()
    daemonised.thermometer("cellar", every_s=0.5)
    reloaded = daemonised.penates("reload", "--json")
    assert json.loads(reloaded.stdout)["changed"] == ["cellar"]
    assert daemonised.pids() == before
    about = eyes.wait(lambda seen: [one.value for one in seen if one.topic == "cm/cellar/status/about"][1:], "about")
    assert about[-1]["measures"]["temperature"]["every_s"] == 0.5
    assert not eyes.on("cm/attic/status/about")[1:]


def test_a_sensor_that_is_told_again_while_it_takes_over_goes_on(three: House) -> None:
    parent = three.supervise()
    before = three.pids()
    command = [sys.executable, "-m", "penates", "reload", "--config", str(three.folder)]
    told = []
    os.kill(before["cellar"], signal.SIGSTOP)
    for number in (1, 2):
        three.thermometer("cellar", every_s=number / 2)
        told.append(subprocess.Popen(command, env=three.env()))
        parent.wait_log('reloading (changed=["cellar"]', count=number)
    os.kill(before["cellar"], signal.SIGCONT)
    assert [one.wait(120) for one in told] == [0, 0]
    parent.wait_log("cm/cellar: reloaded (")
    assert three.pids() == before


def test_it_is_not_told_before_it_has_taken_over(three: House) -> None:
    """Whatever the sensor says of itself in between."""
    three.device("odd", 'kind = "support.odd_devices.Moody"\ndiary = "diary"\n')
    three.supervise()
    three.device("odd", 'kind = "support.odd_devices.Moody"\ndiary = "diary"\nevery_s = 0.15\n')
    three.penates("reload")
    assert (three.folder / "diary").read_text().count("setup") == 2


def test_another_sensor_id_takes_another_process(daemonised: House, broker: Broker) -> None:
    before = daemonised.pids()
    daemonised.device("cellar", 'kind = "thermometer"\nserial = "28-cellar"\nbus = "bus"\nsensor = "vault"\n')
    assert daemonised.penates("reload").returncode == 0
    assert daemonised.pids()["cellar"] != before["cellar"]
    retained_once(broker.port, lambda told: told.get("cm/vault/status/state") == "online", "it is online")


def test_what_does_not_work_is_told_and_tried_again_at_the_next_reload(three: House) -> None:
    odd = 'kind = "support.odd_devices.Odd"\ndiary = "{}/diary"\n'
    three.device("odd", odd.format("."))
    three.supervise()
    before = three.pids()
    three.device("odd", odd.format("nowhere"))
    refused = three.penates("reload")
    assert refused.returncode == 1
    assert "not reloaded: devices/odd.toml: [Errno 2] No such file or directory" in refused.stdout
    assert three.pids() == before
    (three.folder / "nowhere").mkdir()
    assert three.penates("reload").returncode == 0
    eventually(lambda: three.status()["odd"]["state"] == "online", "it works now")
    assert three.pids() == before


def test_a_new_file_is_started_and_a_removed_one_stopped(daemonised: House, broker: Broker) -> None:
    before = daemonised.pids()
    daemonised.thermometer("garage")
    (daemonised.folder / "devices" / "attic.toml").unlink()
    assert daemonised.penates("reload").returncode == 0
    after = daemonised.pids()
    assert after.keys() == {"cellar", "garage", "kitchen"}
    assert {name: after[name] for name in ("cellar", "kitchen")} == {
        name: before[name] for name in ("cellar", "kitchen")
    }
    assert retained(broker.port)["cm/attic/status/state"] == "stopped"


def test_a_reload_waits_for_the_end_of_what_was_removed(three: House) -> None:
    three.device("odd", 'kind = "support.odd_devices.Moody"\ndiary = "diary"\n')
    three.supervise()
    before = three.pids()
    (three.folder / "devices" / "odd.toml").unlink()
    assert three.penates("reload").returncode == 0
    assert three.pids() == {name: pid for name, pid in before.items() if name != "odd"}


@pytest.mark.parametrize("command", ["reload", "restart"])
def test_a_faulty_file_changes_nothing_and_says_why(daemonised: House, command: str) -> None:
    before = daemonised.pids()
    daemonised.device("cellar", 'kind = "thermometer"\nserail = "28-1"\n')
    refused = daemonised.penates(command)
    assert refused.returncode == 78
    assert "devices/cellar.toml:2: no setting 'serail'; did you mean 'serial'?" in refused.stderr
    assert daemonised.pids() == before
    assert daemonised.penates("status").returncode == 0


def test_a_faulty_file_at_the_start_is_none_of_the_others_business(three: House) -> None:
    three.device("cellar", 'kind = "thermometer"\nserail = "28-1"\n')
    stray = three.folder / "devices" / "lamp.tml"
    stray.write_text('kind = "lamp"\npin = 17\n')
    running = three.supervise()
    running.wait_log('a file is not used (file="devices/lamp.tml"')
    stray.unlink()
    status = three.status()
    assert {name: row["state"] for name, row in status.items()} == {
        "attic": "online",
        "cellar": "failed",
        "kitchen": "online",
    }
    assert "no setting 'serail'" in status["cellar"]["error"]
    three.thermometer("cellar")
    assert three.penates("reload").returncode == 0


def test_the_house_reaches_whom_it_means_something(daemonised: House, broker: Broker) -> None:
    house = daemonised.folder / "house.toml"
    before = daemonised.pids()
    house.write_text(house.read_text() + "\n# nothing new\n")
    assert daemonised.penates("reload").returncode == 0
    assert daemonised.pids() == before
    house.write_text("heartbeat_s = 7.0\n" + house.read_text())
    assert daemonised.penates("reload").returncode == 0
    assert daemonised.pids() == before
    told: Callable[[], Any] = lambda: retained(broker.port)["cm/cellar/status/heartbeat"]["heartbeat_s"]  # noqa: E731
    assert eventually(lambda: told() == 7, "it beats otherwise")
    house.write_text(house.read_text().replace('state = "state"', 'state = "elsewhere"'))
    # Found where it is, and refused by it.
    elsewhere = daemonised.penates("reload")
    assert elsewhere.returncode == 1
    house.write_text(house.read_text().replace('state = "elsewhere"', 'state = "state"'))


def test_hangup_reloads_where_there_is_no_terminal(three: House, supervisor: Supervisor) -> None:
    parent = three.supervise(NOTIFY_SOCKET=supervisor.address)
    supervisor.wait("READY=1")
    three.thermometer("cellar", every_s=0.5)
    parent.send(signal.SIGHUP)
    parent.wait_log('cm/cellar: reloaded (changed=["device"])')
    supervisor.wait("RELOADING=1")
    supervisor.wait("READY=1")
    three.device("cellar", "nonsense")
    parent.send(signal.SIGHUP)
    parent.wait_log("not reloaded; nothing has changed")
    assert parent.stop() == 0


def test_a_class_of_the_users_own_is_read_anew(three: House, broker: Broker) -> None:
    code = (SUPPORT / "odd_devices.py").read_text()
    (three.folder / "mine.py").write_text(code)
    three.device("odd", 'kind = "mine.Odd"\ndiary = "diary"\n')
    three.supervise()
    (three.folder / "mine.py").write_text(code.replace('"level": 5,', '"level": 7,'))
    assert three.penates("restart", "odd").returncode == 0
    assert eventually(lambda: retained(broker.port)["cm/odd/data/level"] == 7, "the new code runs")


# What it says.


def test_the_log_is_begun_anew_before_it_fills_the_disk(three: House, broker: Broker) -> None:
    three.write(broker.port, top=TOP, log='level = "debug"\n[supervisor]\nlog_mb = 0.002')
    three.thermometer("attic", every_s=0.05)
    assert three.penates("start").returncode == 0
    state = three.folder / "state"
    eventually((state / "supervisor.log.3").exists, "three older files")
    assert three.penates("stop").returncode == 0
    files = sorted(state.glob("supervisor.log*"))
    assert [file.name for file in files] == ["supervisor.log", *(f"supervisor.log.{number}" for number in (1, 2, 3))]
    assert all(file.stat().st_size < 4000 for file in files)
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \w+ [\w/]+: ", line) for line in lines), lines


def test_a_supervisor_is_a_unit_of_type_notify(three: House, supervisor: Supervisor) -> None:
    parent = three.supervise(NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="500000")
    told = supervisor.told_until("READY=1")
    told += supervisor.told_until("WATCHDOG=1")
    assert "STATUS=3 of 3 sensors online" in told
    parent.send(signal.SIGTERM)
    supervisor.wait("STOPPING=1")
    assert parent.wait() == 0


def test_status_tells_a_fault_and_its_end(three: House) -> None:
    probe = three.probe("attic", "")
    three.supervise()
    row = three.status()["attic"]
    assert row["state"] == "fault"
    assert "did not answer" in row["error"]
    assert three.penates("status").returncode == 1
    three.probe("attic", 20000)
    assert eventually(lambda: three.penates("status").returncode == 0, "it is well again")
    assert "did not answer" in three.status()["attic"]["error"], probe


def test_an_absent_broker_is_no_fault(impatient: House, broker: Broker) -> None:
    broker.stop()
    impatient.supervise()
    before = impatient.pids()
    status = impatient.penates("status")
    assert status.returncode == 0
    assert status.stdout.count("no broker since 20") == len(SENSORS)
    assert status.stdout.count("online") == len(SENSORS)  # once a line is enough
    time.sleep(6)  # longer than the watchdog
    assert impatient.pids() == before


@pytest.mark.exact
def test_one_device_costs_a_few_megabytes(house: House, broker: Broker) -> None:
    """Twenty thermometers, parent included; the figure itself is benchmarks/memory.py's."""
    house.write(broker.port, top=TOP, log='level = "info"')
    for number in range(20):
        house.thermometer(f"t{number}")
    parent = house.supervise()
    pids = [parent.pid, *house.pids().values()]
    total = sum(int(rollup_of(pid, "Pss")) for pid in pids)
    assert total / 20 / 1024 < 8.0


def rollup_of(pid: int, name: str) -> str:
    """Of all its memory, in KiB."""
    found = re.search(rf"^{name}: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return found[1]
