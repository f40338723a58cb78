"""What kinds of one's own may need, installed: a line that a helper takes, others' topics, and a gateway's sensors."""

import functools

from pi.machine import Pi, verdict, wait

FAN_LINE = 16  # pin 36 of the header
FOLLOWED = "home/hurt/"
VOUCHERS = ("status/state", "status/about", "status/heartbeat")  # by which it knows whether the value counts
OPEN = {"home/recorder/status/recording", "homeassistant/device/home-fan/config"}
FILES = {
    "fan": f'kind = "mine.Fan"\nrelay = "BOARD36"\nfollows = "{FOLLOWED}data/level"\n',
    "stick": 'kind = "mine.Stick"\n\n[sensors.near]\nid = 1\n',
}
FOLDER = "/etc/penates"
KILL = "sudo systemctl kill --kill-whom=main --signal=KILL penates@{}"


def check(pi: Pi) -> None:
    """Kinds of one's own: a relay taken in a helper, a listener, a gateway that adopts, and sensors that share one."""
    for name, text in FILES.items():
        pi.say(f"sudo tee {FOLDER}/devices/{name}.toml >/dev/null <<'E'\n{text}E")
    pi.say(f"sudo cp -p {FOLDER}/house.toml {FOLDER}/house.toml.kept")
    pi.say("sudo penates install")
    online(pi, "fan", "stick", "near")
    relay(pi)
    listener(pi)
    gateway(pi)
    together(pi)
    files = " ".join(f"{FOLDER}/devices/{name}.toml" for name in FILES)
    pi.say(f"sudo rm {files} && sudo penates install")
    gone = wait(lambda: {pi.states()[name] for name in ("fan", "stick", "near", "shed")} == {"stopped"}, 20)
    verdict("those that are removed say that they have stopped", gone is not None)
    pi.say("sudo penates prune --yes", must=False)
    verdict("all others are online", wait(lambda: pi.online() == len(pi.names)) is not None)


def online(pi: Pi, *names: str) -> None:
    came = wait(lambda: {pi.states().get(name) for name in names} == {"online"})
    verdict(f"online: {', '.join(names)}", came is not None)


def relay(pi: Pi) -> None:
    """Its line is safe after SIGKILL by what its unit does then, and not only because the next process takes it."""
    folder = "/etc/systemd/system/penates@fan.service.d"
    once = f"printf '[Service]\\nRestart=no\\n' | sudo tee {folder}/once.conf && sudo systemctl daemon-reload"
    pi.say(f"sudo mkdir -p {folder} && {once}")
    pi.say("sudo penates send home/fan set on")
    verdict("the relay's line is high", level(pi), "1")
    pi.say(KILL.format("fan"))
    verdict("its process has ended", wait(lambda: pi.pid("fan") == "0") is not None)
    verdict("the line after SIGKILL", wait(lambda: level(pi) == "0", 20) is not None)
    stopped = pi.say("systemctl show --property=ExecStopPost --value penates@fan")
    verdict("which its unit saw to", "safe" in stopped and "status=0" in stopped)
    pi.say(f"sudo rm {folder}/once.conf && sudo rmdir --ignore-fail-on-non-empty {folder}")
    pi.say("sudo systemctl daemon-reload && sudo systemctl restart penates@fan")
    online(pi, "fan")


def level(pi: Pi) -> str:
    return pi.say(pi.level.format(pin=FAN_LINE))


def listener(pi: Pi) -> None:
    """It hears what it declares, and the broker lets it hear nothing else."""
    came = wait(lambda: pi.topics("home/fan/data/level").get("home/fan/data/level") in ("1", "1.0"), 30)
    verdict("it has heard the other's measure", came is not None)
    rows = pi.say(
        f"HOME=/nonexistent timeout 5 mosquitto_sub -v -t '#' -u fan -P $(sudo cat {FOLDER}/secrets/fan)", must=False
    ).splitlines()
    others = {row.split(" ", 1)[0] for row in rows if not row.startswith("home/fan/")}
    promised = {f"{FOLLOWED}{topic}" for topic in ("data/level", *VOUCHERS)}
    verdict("of others it may hear this alone", others - OPEN, promised)
    file = f"{FOLDER}/devices/fan.toml"
    pi.say(f"sudo sed -i 's,{FOLLOWED}data/level,home/hall/data/motion,' {file} && sudo systemctl reload penates@fan")
    came = wait(
        lambda: "not installed yet" in pi.topics("home/fan/status/heartbeat").get("home/fan/status/heartbeat", "")
    )
    verdict("what is not installed yet is its fault", (came is not None, pi.states()["fan"]), (True, "fault"))
    pi.say("sudo penates install")
    online(pi, "fan")


def gateway(pi: Pi) -> None:
    """It adopts what it hears without a restart; when it is killed, each is lost; all are back."""
    before = pi.pid("stick")
    unknown = functools.partial(pi.say, "sudo penates unknown", must=False)
    verdict("what nobody has adopted is listed", wait(lambda: "--id 2" in unknown(), 30) is not None)
    pi.say("sudo penates new shed --from home/stick --id 2")
    online(pi, "near", "shed")
    verdict("adopted without a restart", pi.pid("stick"), before)
    came = wait(lambda: pi.topics("home/shed/data/temperature") == {"home/shed/data/temperature": "7.5"}, 20)
    verdict("its values are there", came is not None)
    pi.say(f"sudo sed -i '/^.sensors.near.$/,/^$/d' {FOLDER}/devices/stick.toml && sudo penates install")
    verdict("one that is forgotten says that it has stopped", pi.states().get("near"), "stopped")
    pi.say(
        f"sudo sed -i '/^kind/a \\\\n[sensors.near]\\nid = 1\\n' {FOLDER}/devices/stick.toml && sudo penates install"
    )
    online(pi, "near", "shed")
    verdict("forgotten and adopted again without a restart", pi.pid("stick"), before)
    log = "/tmp/penates-states"
    pi.say(f"(timeout 15 mosquitto_sub -v -t 'home/+/status/state' -R > {log} &) ; sleep 2; {KILL.format('stick')}")
    online(pi, "stick", "near", "shed")
    pi.say("sleep 15")
    rows = pi.say(f"cat {log}; rm {log}").splitlines()
    for name in ("stick", "near", "shed"):
        said = [row.split(" ")[1] for row in rows if row.startswith(f"home/{name}/")]
        verdict(f"{name} was lost when the gateway was killed", said[:1], ["lost"])


def together(pi: Pi) -> None:
    """Two share a process, as their owner says; the wire shows no difference."""
    pi.say(rf"sudo sed -i 's/^\[together\]$/&\npair = [\"fan\", \"hall\"]/' {FOLDER}/house.toml")
    pi.say("sudo penates install")
    online(pi, "fan", "hall")
    units = pi.say("systemctl list-units --plain --no-legend 'penates@*' | cut -d. -f1").split()
    verdict("in one unit", [unit for unit in units if unit[8:] in ("pair", "fan", "hall")], ["penates@pair"])
    pi.say("sudo penates send home/fan set on")
    verdict("the relay's line is high there, too", level(pi), "1")
    before = pi.pid("pair")
    pi.say(KILL.format("pair"))
    verdict("a new process", wait(lambda: pi.pid("pair") not in ("0", before)) is not None)
    verdict("with the line safe", wait(lambda: level(pi) == "0", 20) is not None)
    online(pi, "fan", "hall")
    pi.say(f"sudo mv {FOLDER}/house.toml.kept {FOLDER}/house.toml")
