"""Radio in the real Home Assistant: a station, and a socket whose state is assumed until our receiver has heard it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.air import Air, receivers
from support.assistant import Start
from support.heard_air import RecordedAir
from support.transmitters import alecto_rain, alecto_temperature, new_remote
from support.world import Broker, Eyes, Wires, eventually

PIN = 17
REMOTE = '[sensors.remote]\nmodel = "KlikAanKlikUit-Switch"\nid = 12345678\n'
STATION = '[sensors.alecto1]\nmodel = "AlectoV1"\nid = 44\nchannel = 1\n'
LAMP = '[sensors.lamp]\ncode = "kaku 12345678 3"\nconfirm = "cm/remote/data/unit_2"\n'
ONE_COMMAND = "airtime_percent = 0.02"  # 0.72 s of an hour
SWITCH, EVIDENCE = "cm/lamp/action_set", "cm/lamp/data_evidence"


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Air]:
    with closing(Air(tmp_path)) as air:
        yield air


def test_a_station_measures_and_a_socket_shows_what_was_sent_and_heard(
    wires: Wires, broker: Broker, eyes: Eyes, start_assistant: Start, air: Air
) -> None:
    wires.house.device("stick", f'kind = "radio"\ninput = "{air.input}"\n{REMOTE}{STATION}')
    running = wires.house.run("stick")
    air.send(new_remote(12345678, 2, on=True), alecto_rain(44, 12.75))
    eyes.wait_value("cm/alecto1/data/rain", 12.75)
    eventually(lambda: [one.count("-R") for one in receivers(running)] in ([2], [3]), "only their decoders are on")
    wires.run("air", f'kind = "socket"\npin = {PIN}\n{ONE_COMMAND}\n{LAMP}')
    assistant = start_assistant(broker)
    assert assistant.wait(SWITCH, "unknown")["attributes"]["assumed_state"] is True
    recorded = RecordedAir(wires.line(PIN))
    assistant.ask("call", service="switch.turn_on", entity="switch.lamp")
    assistant.wait(SWITCH, "on")
    assistant.wait(EVIDENCE, "assumed")
    air.send(recorded.pulses())
    assistant.wait(EVIDENCE, "heard")
    assistant.ask("call", service="switch.turn_off", entity="switch.lamp")  # which is more than may be sent
    assistant.wait("cm/air/data_refused", "1")
    assistant.wait(SWITCH, "on")
    air.send(new_remote(12345678, 2, on=False), alecto_temperature(44, -0.5, 81))
    assistant.wait(SWITCH, "off")
    for measure, state, class_, kind in (
        ("temperature", "-0.5", "temperature", "measurement"),
        ("rain", "12.75", "precipitation", "total_increasing"),
    ):
        found = assistant.wait(f"cm/alecto1/data_{measure}", state)["attributes"]
        assert (found["device_class"], found["state_class"]) == (class_, kind)
