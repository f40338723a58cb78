"""A radio socket in the real Home Assistant: a switch whose state is assumed, until a receiver of ours has heard it."""

from contextlib import closing
from pathlib import Path

from support.air import Air
from support.assistant import Start
from support.heard_air import RecordedAir
from support.transmitters import new_remote
from support.world import Broker, Wires

PIN = 17
REMOTE = '[sensors.remote]\nmodel = "KlikAanKlikUit-Switch"\nid = 12345678\n'
LAMP = '[sensors.lamp]\ncode = "kaku 12345678 3"\nconfirm = "cm/remote/data/unit_2"\n'
ONE_COMMAND = "airtime_percent = 0.02"  # 0.72 s of an hour
SWITCH, EVIDENCE = "cm/lamp/action_set", "cm/lamp/data_evidence"


def test_a_socket_is_a_switch_that_shows_what_was_sent_and_heard(
    wires: Wires, broker: Broker, start_assistant: Start, tmp_path: Path
) -> None:
    with closing(Air(tmp_path)) as air:
        wires.house.device("stick", f'kind = "radio"\ninput = "{air.input}"\n{REMOTE}')
        wires.house.run("stick")
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
        air.send(new_remote(12345678, 2, on=False))
        assistant.wait(SWITCH, "off")
