"""What is found at a broker before anything is installed for it."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest

from penates.installer.other_broker import OtherBroker
from support.world import PATIENCE_S

CONNECT, SUBSCRIBE, PINGREQ = 0x10, 0x80, 0xC0
LEVEL = 8  # where a CONNECT has the version of the protocol
UNACCEPTABLE, ACCEPTED, PONG = b"\x20\x02\x00\x01", b"\x20\x02\x00\x00", b"\xd0\x00"


def serve(listening: socket.socket, versions: list[int]) -> None:
    """Speak MQTT 3.1.1 alone, as brokers did before 2018, and note which version each client asked for."""
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            client.settimeout(PATIENCE_S)
            with client:
                while data := client.recv(4096):
                    if data[0] == CONNECT:
                        versions.append(data[LEVEL])
                        client.sendall(ACCEPTED if data[LEVEL] == 4 else UNACCEPTABLE)
                        if data[LEVEL] != 4:
                            break
                    elif data[0] & 0xF0 == SUBSCRIBE:
                        client.sendall(b"\x90\x03" + data[2:4] + b"\x00")
                    if data[0] == PINGREQ or data.endswith(bytes([PINGREQ, 0])):
                        client.sendall(PONG)


@pytest.fixture
def old_broker() -> Iterator[tuple[int, list[int]]]:
    versions: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Thread(target=serve, args=(listening, versions))
        server.start()
        yield listening.getsockname()[1], versions
        listening.shutdown(socket.SHUT_RDWR)
        server.join(PATIENCE_S)


def test_a_broker_without_mqtt_5_is_used_as_it_is(old_broker: tuple[int, list[int]]) -> None:
    port, versions = old_broker
    found, why = OtherBroker(host="127.0.0.1", port=port).looked_at("home", None, None)
    assert (why, versions) == ("", [5, 4])
    assert found.settings[("broker", "protocol")] == "3.1.1"
    assert found.recorder
