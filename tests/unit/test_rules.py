"""House rules: each failure says what to do."""

import dataclasses
import inspect
import re
import shutil
import statistics
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config import kinds, loader, model
from bootstrap.contract.liveness import GRACE_S, MISSED
from bootstrap.contract.topics import RESERVED_SENSORS
from bootstrap.device import BUILT_IN_ACTIONS, RESERVED_MEASURES, Device
from bootstrap.errors import Exit
from bootstrap.mqtt.delivery import PUBACK_S
from bootstrap.proof import PROOFS, REAL_SYSTEM
from penates.datasheet import sheet
from support.examples import example_of
from support.paths import ROOT

DEVICE_LINES = 35
MEDIAN_LINES = 30
LONGER = {  # with the reason: what its data sheet has more of
    "bridge": 60,  # what it measures of a link, beside what it needs for commands
    "command": 50,  # a program, what it prints, and what its unit lets it reach
    "co2_serial": 40,  # a setting that reaches the sensor, and a warm-up
    "disk": 55,  # six measures, each from another file of the kernel, and what is mounted
    "lines": 50,  # what a port and its lines are like
    "modbus": 40,  # what a port, a bus and its registers are like
    "network": 50,  # four measures, each from another file of the kernel
    "ping": 40,  # how often it asks, and how
    "pi": 65,  # nine measures, each from another file of the kernel
    "radio": 65,  # which receiver, what of it is heard, and a search
    "presence": 45,  # what is not known at first, and what no other phone is taken for
    "service": 40,  # five things that systemd tells of a unit
    "updates": 60,  # how rarely it looks, and when again after a failure
    "socket": 45,  # four measures of what it sends, and an end that leaves the line low
    "recorder": 65,  # a store and a subscription, which are checked against each other
}
REALLY_RUN = {  # what these tests start, connect to or read as it is on the machine that they run on
    *("Mosquitto 2", "SQLite", "InfluxDB", "VictoriaMetrics", "script", "program", "systemd", "Debian updates", "apt"),
    *("JSON over HTTP", "REST", "network traffic", "ping", "ICMP", "TCP port", "phone by ARP"),
}


@pytest.fixture(params=kinds.names())
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def test_a_device_file_reads_like_a_data_sheet(kind: str) -> None:
    device = kinds.find(kind, ROOT)
    assert "Wiring:" in (device.__doc__ or ""), f"say in the docstring of {kind} how to wire it"
    assert device.measures, f"declare what {kind} measures"
    assert all(isinstance(measure.unit, type) or measure.unit for measure in device.measures.values())
    lines = len((ROOT / "daemons" / f"{kind}.py").read_text().splitlines())
    assert lines <= LONGER.get(kind, DEVICE_LINES), f"{kind} has {lines} lines; what two share belongs in bootstrap"


def test_half_of_the_device_files_fit_on_thirty_lines() -> None:
    files = [ROOT / "daemons" / f"{kind}.py" for kind in kinds.names()]
    assert statistics.median(len(file.read_text().splitlines()) for file in files) <= MEDIAN_LINES


def test_what_all_devices_have_is_declared_once(kind: str) -> None:
    own = inspect.get_annotations(kinds.find(kind, ROOT))
    assert "every_s" not in own, f"{kind} repeats every_s: `Device` has its type, default and meaning"


def test_every_kind_is_built_from_the_examples_in_its_comments(kind: str, tmp_path: Path) -> None:
    missing = [one.name for one in sheet(kind, None).settings if one.required and "…" in one.shown and not one.is_line]
    assert not missing, f"say `such as VALUE` in the comments on these settings of {kind}: {missing}"
    assert type(example_of(kind, tmp_path).device) is kinds.find(kind, ROOT)


def test_the_samples_are_a_house() -> None:
    assert loader.check(ROOT / "config")


def test_every_kind_has_parts_each_with_its_proof(kind: str) -> None:
    device = kinds.find(kind, ROOT)
    assert "parts" in vars(device), f"say in {kind} which parts people look for: parts: ClassVar = {{…}}"
    assert device.parts
    assert [part for part, proof in device.parts.items() if proof not in PROOFS] == []


def test_no_kind_claims_more_than_was_tried(kind: str) -> None:
    real = {part for part, proof in kinds.find(kind, ROOT).parts.items() if proof == REAL_SYSTEM}
    assert real <= REALLY_RUN, f"{real - REALLY_RUN} of {kind}: these tests do not run on it; name another proof"
    assert not [proof for proof in PROOFS if "recorded" in proof], "there is no recording among these tests"


def uncommented(text: str) -> str:
    """The file with every default switched on: `# key = …` becomes `key = …`, `## words` stay comments."""
    return re.sub(r"^# (?=\S+ = )", "", text, flags=re.MULTILINE)


def settings_of(found: model.SensorSettings) -> dict[str, Any]:
    return {**dataclasses.asdict(found.device), "heartbeat_s": found.heartbeat_s, **dataclasses.asdict(found.log)} | {
        "host": found.broker.hosts,
        "port": found.broker.tcp_port,
        "protocol": found.broker.protocol,
        "keepalive_s": found.broker.keepalive_s,
    }


def test_every_default_in_the_samples_is_the_true_one(tmp_path: Path) -> None:
    copy = tmp_path / "config"
    shutil.copytree(ROOT / "config", copy)
    house = loader.Configuration(copy).house
    assert house
    before = [settings_of(found) for found in loader.check(copy)]
    for file in copy.rglob("*.toml"):
        text = uncommented(file.read_text())
        # These have no default: what the sample shows is an example.
        examples = r"^(state|username|password_file|ca_file|sensor|file|token_file|foreign|share|attic) = .*"
        examples += r"|^(allow|options|decoders|ignore) = .*"
        examples += r"|^airtime_percent = .*|^(lock_pin|highest|alerts|button|lit) = .*"
        examples += r"|^host = .home.example.$"
        file.write_text(re.sub(examples, "", text, flags=re.MULTILINE))
    assert [settings_of(found) for found in loader.check(copy)] == before
    after = loader.Configuration(copy).house
    assert after
    assert (after.supervisor, after.homeassistant) == (house.supervisor, house.homeassistant)


def test_the_samples_show_every_setting(kind: str) -> None:
    house = uncommented((ROOT / "config" / "house.toml").read_text())
    table = tomllib.loads(house)
    assert table.pop("together") == {"attic": ["probe1", "probe2"]}
    sections = {
        "broker": model.BrokerSettings,
        "log": model.LogSettings,
        "history": model.HistorySettings,
        "supervisor": model.SupervisorSettings,
    }
    sections["homeassistant"] = model.HomeAssistantSettings
    for section, owner in ((table, model.House), *((table[name], owner) for name, owner in sections.items())):
        assert {field.name for field in dataclasses.fields(owner)} == section.keys()
    fields = {field.name for field in dataclasses.fields(kinds.find(kind, ROOT))}
    for file in (ROOT / "config" / "devices").glob("*.toml"):
        sample = tomllib.loads(uncommented(file.read_text()))
        if sample["kind"] == kind:
            assert fields == sample.keys() - {"kind", "group", "sensor"}


def test_topics_md_tells_the_whole_contract() -> None:
    text = (ROOT / "docs" / "TOPICS.md").read_text()
    words = [*RESERVED_MEASURES, *RESERVED_SENSORS, *BUILT_IN_ACTIONS, "starting", "online", "fault", "stopped", "lost"]
    words += ["unreachable", "undelivered"]
    words += ["time", "run", "uptime_s", "heartbeat_s", "why", "last_reading", "reads", "faults", "invalid", "queued"]
    words += ["on_disk", "storage", "dropped", "reconnects", "rss_mb", "kind", "measures", "actions", "version", "host"]
    words += ["id", "result", "reason", "ok", "stale", "failing", "absent", "health", "since", "errors", "last_good"]
    words += ["step", "recorded", "waiting", "missed", "lag_s", "words", "sets", "counter", "rejected", "refused"]
    words += ["dead_letters.jsonl", "outbox/<group>.<sensor>"]
    missing = [word for word in words if f"`{word}`" not in text]
    assert not missing, f"docs/TOPICS.md says nothing of {missing}"
    assert f"{PUBACK_S:g} s" in text
    assert f"{MISSED} periods and {GRACE_S:g} s" in text


def test_exit_codes_md_lists_every_exit_code() -> None:
    text = (ROOT / "docs" / "EXIT_CODES.md").read_text()
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert codes == {int(code) for code in Exit}


def test_the_base_declares_nothing_of_its_own() -> None:
    assert [field.name for field in dataclasses.fields(Device)] == ["every_s"]
    assert Device.measures == {}
