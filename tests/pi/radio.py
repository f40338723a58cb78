r"""A receiver and a transmitter on a Pi with systemd: in their sandboxes, and the one hears what the other has sent.

    tests/pi/radio pi@raspberrypi.local
    tests/pi/radio --by 'vpi.sh runas pi' --lirc

Like `tests/pi/run` it installs this copy from scratch, so it refuses a machine where penates is installed; at the end
it takes everything off again. Nothing need be wired: the pin of the transmitter, GPIO 25, is driven. In place of a
stick there are a pipe, through which a real rtl_433 hears what is sent, and a receiver elsewhere that stalls and ends
as it is told. The kernel traces the line of the transmitter, and rtl_433 decodes that: COUNT transmissions, and as many
while the processor has something else to do.

`--stick` plugs an RTL-SDR stick of our own making into the kernel's dummy_hcd; without it, none must be there. `--pull
FILE` has a receiver on GPIO 27, a simulated line that is pulled by this file, hear a thermometer; such as
/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio27/pull. `--lirc` has the kernel's own driver send, too: its
/dev/lirc0 must be there for GPIO 24 (ir_tx/build makes the modules for a machine without a device tree). On an
emulated machine microseconds mean little, unless its clock counts instructions: QEMU's
`-accel tcg,thread=single -icount shift=1` with one processor.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from pi.machine import COPY, Pi, failures, verdict, wait
from support.transmitters import nexus, ook

if TYPE_CHECKING:
    from collections.abc import Callable

LINE, OTHER_LINE, LIRC_LINE, PIN_LINE = 25, 23, 24, 27
LAMP, FAN = f"transmitter lamp 3 {LINE}", f"other fan 4 {OTHER_LINE}"  # gateway, socket, unit, line
TREE = f"kernel tree 5 {LIRC_LINE}"
PIPE, RECORDED = "/srv/penates-air", "/srv/closed_loop.ook"
HOLDER = "penates-air-open"  # keeps the pipe open, as the air does not end
FOLDER = "/etc/penates/devices"
NEXUS = '[sensors.{}]\nmodel = "Nexus-TH"\nid = {}\nchannel = 2\n'
REMOTE = '[sensors.remote]\nmodel = "KlikAanKlikUit-Switch"\nid = 12345678\n'
SOCKET = '[sensors.{}]\ncode = "kaku 12345678 {}"\n'
CONFIRM = 'confirm = "home/remote/data/unit_2"\n'
ALL_AIR = 'region = "other"\nairtime_percent = 100\n'
LOOP = f"cd {COPY}/tests && sudo PYTHONPATH=. /opt/penates/bin/python -m pi.closed_loop"
CLOCK = "char-rtc"  # which systemd allows with ProtectClock=, for reading
NO_STICK = "No supported devices found."
EVERY_S = 20.0  # how often a station is expected here
GRACE_S = 30.0  # on an emulated machine
LONG_S = 600.0  # its clock may be slower than ours


class Helper:
    """A program on the machine that is given orders, a line each."""

    def __init__(self, pi: Pi, module: str, sudo: str = "") -> None:
        ends = subprocess.PIPE
        command = [*pi.by, f"cd {COPY}/tests && exec {sudo} python3 -m {module}"]
        self._process = subprocess.Popen(command, stdin=ends, stdout=ends, text=True)
        assert self._process.stdin
        assert self._process.stdout
        self._orders = self._process.stdin
        self.said = self._process.stdout.readline().strip()  # which says that it is ready

    def tell(self, order: str) -> None:
        print(order, file=self._orders, flush=True)

    def end(self) -> None:
        self._orders.close()
        self._process.wait()


def files(port: int, *, pull: bool, lirc: bool) -> dict[str, str]:
    """Return the device files."""
    far = f'kind = "radio"\ninput = "rtl_tcp:127.0.0.1:{port}"\nevery_s = 5\n'
    found = {
        "air": f'kind = "radio"\ninput = "ook:{PIPE}"\nevery_s = 5\n{NEXUS.format("shed", 181)}{REMOTE}',
        "far": f"{far}{NEXUS.format('attic', 55)}every_s = {EVERY_S}\n",
        "stick": f'kind = "radio"\nevery_s = 5\n{NEXUS.format("porch", 99)}every_s = {EVERY_S}\n',
        "transmitter": f'kind = "socket"\npin = {LINE}\n{ALL_AIR}{SOCKET.format("lamp", 3)}{CONFIRM}',
        "other": f'kind = "socket"\npin = {OTHER_LINE}\n{SOCKET.format("fan", 4)}',
    }
    if pull:
        found["pin"] = f'kind = "radio"\ninput = "pin:GPIO{PIN_LINE}"\n{NEXUS.format("cellar", 77)}'
    if lirc:
        found["kernel"] = f'kind = "socket"\npin = "/dev/lirc0"\n{ALL_AIR}{SOCKET.format("tree", 5)}'
    return found


def install(pi: Pi) -> None:
    """As a stranger would."""
    if pi.say("ls -d /etc/penates /opt/penates", must=False):
        sys.exit("penates is installed there already; this would take it off")
    pi.copy()
    pi.say(f"cd {COPY} && sudo scripts/install")


def furnish(pi: Pi, found: dict[str, str]) -> None:
    """A pipe for a stick, and the gateways."""
    pi.say(f"sudo mkfifo -m 644 {PIPE} && sudo systemd-run --unit={HOLDER} sh -c 'exec sleep infinity <>{PIPE}'")
    for name, text in found.items():
        pi.say(f"sudo tee {FOLDER}/{name}.toml >/dev/null <<'E'\n{text}E")
    pi.names = ["pi", "recorder", *found]
    begun = time.monotonic()
    pi.say("sudo penates install")
    print(f"     {time.monotonic() - begun:.0f} s: sudo penates install", flush=True)
    well = [name for name in found if name not in ("stick", "far")]
    came = wait(lambda: {pi.states().get(name) for name in (*well, "lamp", "fan")} == {"online"})
    verdict(f"online: {', '.join(well)}", came is not None)


def value(pi: Pi, topic: str) -> str | None:
    """Return what is retained on a topic."""
    return pi.topics(topic, 2).get(topic)


def comes(pi: Pi, topic: str, wanted: str, limit_s: float = 120.0) -> float | None:
    """Return after how many seconds a topic has this value; None if it never has."""
    return wait(lambda: value(pi, topic) == wanted, limit_s)


def why(pi: Pi, sensor: str, measure: str) -> dict[str, Any]:
    """Return the health of a measure."""
    found: dict[str, Any] = json.loads(value(pi, f"home/{sensor}/status/health") or "{}").get(measure, {})
    return found


def sandboxes(pi: Pi) -> None:
    """Each unit may do what its input or its line needs, and no more; rtl_433 is in there, too."""
    facts = "RestrictAddressFamilies,RestrictRealtime,LimitRTPRIO,DeviceAllow"
    for unit, netlink, real_time, nodes in (
        ("air", False, False, []),
        ("stick", True, False, ["char-usb_device"]),
        ("transmitter", False, True, ["char-gpiochip"]),
    ):
        shown = pi.say(f"systemctl show --property={facts} penates@{unit}").splitlines()
        allowed = [row.split("=", 1)[1].split()[0] for row in shown if row.startswith("DeviceAllow=char")]
        verdict(f"{unit}: hears of USB from the kernel: {netlink}", "AF_NETLINK" in "".join(shown), netlink)
        verdict(f"{unit}: may keep time: {real_time}", {"RestrictRealtime=no", "LimitRTPRIO=1"} <= {*shown}, real_time)
        verdict(f"{unit}: opens {', '.join(nodes) or 'nothing'}", [*{*allowed} - {CLOCK}], nodes)
    status = pi.say(f"cat /proc/$(pgrep -P {pi.pid('air')} rtl_433)/status")
    found = dict(row.split(":\t", 1) for row in status.splitlines() if ":\t" in row)
    verdict("rtl_433 runs under a filter of system calls", (found["Seccomp"], found["NoNewPrivs"]), ("2", "1"))
    verdict("and without any right of root", (found["CapEff"].strip("0"), found["Uid"].split()[0] == "0"), ("", False))


def hears(pi: Pi) -> None:
    """What is on the air is a reading; no stick is absent, in rtl_433's own words."""
    for celsius in (-0.5, -1.3):
        transmit(pi, ook(nexus(181, 2, celsius)))
        came = comes(pi, "home/shed/data/temperature", str(celsius))
        verdict(f"{celsius} °C was heard after {came or -1:.0f} s", came is not None)
    heard = partial(why, pi, "stick", "heard")
    verdict("the stick is absent", wait(lambda: heard().get("health") == "absent") is not None)
    verdict("because there is none", NO_STICK in str(heard().get("why")))


def at(time: str) -> datetime:
    """Return the time that a text says."""
    return datetime.fromisoformat(time)


def transmit(pi: Pi, text: str) -> None:
    pi.say(f"sudo tee {PIPE} >/dev/null <<'E'\n{text}E")


def sent_and_heard(pi: Pi, helper: Helper, sensor: str, id_: int, celsius: float) -> bool:
    """Have a thermometer transmit, as it does again and again; returns whether it was heard."""
    helper.tell(f"send {id_} 2 {celsius}")
    return value(pi, f"home/{sensor}/data/temperature") == str(celsius)


def far(pi: Pi, receiver: Helper) -> None:
    """A receiver elsewhere stalls, hangs up, and is gone: the gateway says why, and its sensor is stale in its time."""
    for number, (what, said) in enumerate((("", ""), ("stall", "ead stalled"), ("hang_up", "sync read failed"))):
        if what:
            receiver.tell(what)
            came = wait(lambda: value(pi, "home/far/status/state") == "fault")
            verdict(f"{what}: a fault after {came or -1:.0f} s", came is not None)
        came = wait(partial(sent_and_heard, pi, receiver, "attic", 55, number + 0.5))
        verdict(f"{what or 'at first'}: heard after {came or -1:.0f} s", came is not None)
        if what:
            verdict(f"{what}: the log says {said!r}", said in pi.say("sudo journalctl -q -o cat -u penates@far"))
    receiver.end()
    wait(lambda: why(pi, "attic", "temperature").get("health") == "stale", LONG_S)
    found = why(pi, "attic", "temperature")
    silent_s = (at(found["since"]) - at(found["last_good"])).total_seconds() if found["health"] == "stale" else 0.0
    verdict(f"gone: its sensor is stale after {silent_s:.0f} s", 0 <= silent_s - 3 * EVERY_S < GRACE_S)
    verdict("gone: the gateway says why", "Connection refused" in str(why(pi, "far", "heard").get("why")))
    state = pi.states()
    verdict("gone: both are in fault", (state["far"], state["attic"]), ("fault", "fault"))


def stick(pi: Pi) -> None:
    """A stick in the kernel's USB: it is heard, pulled out, and held by another program."""
    helper = Helper(pi, "pi.usb_stick", "sudo")
    heard = partial(why, pi, "stick", "heard")
    came = wait(partial(sent_and_heard, pi, helper, "porch", 99, 1.5))
    verdict(f"plugged in: heard after {came or -1:.0f} s", came is not None)
    helper.tell("pull")
    verdict("pulled out: it is absent", wait(lambda: heard().get("health") == "absent") is not None)
    verdict("because there is none", wait(lambda: NO_STICK in str(heard().get("why"))) is not None)
    print(
        "     "
        + pi.say("sudo journalctl -q -o cat -u penates@stick | grep -i -m3 'read failed\\|not open'", must=False)
    )
    helper.tell("plug")
    came = wait(partial(sent_and_heard, pi, helper, "porch", 99, 2.5))
    verdict(f"plugged in again: heard after {came or -1:.0f} s", came is not None)
    held(pi, helper)
    helper.end()


def held(pi: Pi, helper: Helper) -> None:
    """Who else has it is said."""
    pi.say("sudo systemctl stop penates@stick && sudo systemd-run --unit=penates-thief rtl_433 -d 0 -F null")
    wait(lambda: "Tuned" in pi.say("sudo journalctl -q -o cat -u penates-thief", must=False))
    pi.say("sudo systemctl start penates@stick")
    taken = wait(lambda: "usb_claim_interface error" in str(why(pi, "stick", "heard").get("why")))
    verdict("another program has it, and that is said", taken is not None)
    pi.say("sudo systemctl stop penates-thief")
    came = wait(partial(sent_and_heard, pi, helper, "porch", 99, 3.5))
    verdict(f"it is free again: heard after {came or -1:.0f} s", came is not None)


def loop(pi: Pi, who: str, count: int, loads: int) -> None:
    """Have a socket switched, and print what was understood. `who` is the gateway, the socket, its unit and line."""
    found = json.loads(pi.say(f"{LOOP} code {who} {count} {loads}"))
    print(f"     {json.dumps(found)}", flush=True)
    how = f"{who.partition(' ')[0]}{f', {loads} others run' if loads else ''}"
    verdict(f"{how}: understood {found['understood']} of {count}", found["understood"], count)
    verdict(f"{how}: no other code was heard", found["wrong"], 0)


def transmits(pi: Pi, count: int) -> None:
    """What a socket is told is on the line, in real time, and our own receiver confirms it."""
    loop(pi, LAMP, count, 0)
    verdict("time is kept by", value(pi, "home/transmitter/data/timing"), "realtime")
    verdict("which nobody has confirmed", value(pi, "home/lamp/data/evidence"), "assumed")
    transmit(pi, pi.say(f"cat {RECORDED}") + "\n")
    verdict("what was recorded is confirmed", comes(pi, "home/lamp/data/evidence", "heard") is not None)
    loop(pi, LAMP, count, 3)


def in_turn(pi: Pi) -> None:
    """Two transmitters, each a unit: never both at once."""
    changes = int(pi.say(f"{LOOP} turns {LAMP} {FAN}"))
    verdict(f"two transmitters of eight transmissions take turns, {changes} times", 0 < changes <= 7)


def on_a_pin(pi: Pi, pull: str) -> None:
    """A receiver on a line: the kernel's edges are decoded."""
    for celsius in (-0.5, -1.3, -9.3):
        pi.say(f"cat >/tmp/heard.ook <<'E'\n{ook(nexus(77, 2, celsius))}E")
        came = wait(partial(played_and_heard, pi, pull, celsius))
        verdict(f"{celsius} °C was heard after {came or -1:.0f} s", came is not None)


def played_and_heard(pi: Pi, pull: str, celsius: float) -> bool:
    """Have the line hear a thermometer; returns whether that became a value."""
    pi.say(f"{LOOP} play {pull} /tmp/heard.ook")
    return value(pi, "home/cellar/data/temperature") == str(celsius)


def by_the_kernel(pi: Pi, count: int) -> None:
    """The kernel's own transmitter."""
    loop(pi, TREE, count, 0)
    verdict("time is kept by", value(pi, "home/kernel/data/timing"), "kernel")
    loop(pi, TREE, count, 3)


def uninstall(pi: Pi) -> None:
    """Take everything off again."""
    pi.say(f"sudo penates uninstall --purge && sudo rm -rf {COPY} {PIPE} {RECORDED}")
    pi.say(f"sudo systemctl stop {HOLDER}", must=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host", nargs="?", metavar="HOST", help="as ssh knows it")
    parser.add_argument("--by", metavar="COMMAND", help="what runs its last argument on the Pi (default: ssh HOST)")
    parser.add_argument("--count", type=int, default=20, help="transmissions of each kind (default: 20)")
    parser.add_argument("--pull", metavar="FILE", help=f"by which a simulated GPIO {PIN_LINE} is pulled, there")
    parser.add_argument("--stick", action="store_true", help="the kernel has dummy_hcd, and no stick is plugged in")
    parser.add_argument("--lirc", action="store_true", help=f"there is a /dev/lirc0 that drives GPIO {LIRC_LINE}")
    given = parser.parse_args()
    if not (given.host or given.by):
        parser.error("say HOST, or --by")
    pi = Pi(shlex.split(given.by) if given.by else ["ssh", given.host], line="", level="")
    install(pi)
    receiver = Helper(pi, "pi.far_receiver")
    furnish(pi, files(int(receiver.said), pull=given.pull is not None, lirc=given.lirc))
    parts: list[tuple[Callable[..., None], tuple[object, ...]]] = [
        (sandboxes, ()),
        (hears, ()),
        (far, (receiver,)),
        (transmits, (given.count,)),
        (in_turn, ()),
        *([(stick, ())] if given.stick else []),
        *([(on_a_pin, (given.pull,))] if given.pull else []),
        *([(by_the_kernel, (given.count,))] if given.lirc else []),
    ]
    for part, more in parts:
        print(f"-- {(part.__doc__ or '').strip()}")
        part(pi, *more)
    uninstall(pi)
    print(f"{len(failures)} promises not kept" if failures else "all promises kept")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
