"""Questions and answers of Modbus, by RTU on a pseudo-terminal and by TCP, with errors in them."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from bootstrap.modbus.slave import COILS, HOLDING, INPUT, ModbusSlave, ModbusTcp, Refusal, Rtu
from bootstrap.streams import Serial, Tcp
from support.modbus_slave import Slave, summed
from support.spoken import Spoken, patiently

SHORT_S, LONG_S = 0.2, 20.0
REGISTERS: dict[int, dict[int, int]] = {
    INPUT: {at: 0x100 + at for at in range(20)},
    HOLDING: {7: 7},
    COILS: {at: at % 3 == 0 for at in range(20)},
}


@pytest.fixture
def slave() -> Slave:
    return Slave(REGISTERS)


@contextmanager
def asked(port: Spoken, address: int = 1, within_s: float = LONG_S) -> Iterator[ModbusSlave]:
    with ModbusSlave(Serial(port.path), Rtu(), address, within_s) as opened:
        yield opened


def test_registers_and_bits_are_read_and_written(port: Spoken, slave: Slave) -> None:
    port.answers(slave.answer)
    with asked(port) as opened:
        assert opened.registers(INPUT, 3, 2) == bytes.fromhex("01030104")
        assert opened.registers(HOLDING, 7, 1) == bytes.fromhex("0007")
        assert opened.bits(COILS, 1, 19) == [at % 3 == 0 for at in range(1, 20)]
        opened.write(7, 0xABCD)
        assert opened.repeated == 0
    assert slave.written == [(7, 0xABCD)]
    assert port.asked[0] == bytes.fromhex("01 04 00 03 00 02 81 cb"), "the standard's form, its checksum low byte first"


@pytest.mark.parametrize("before", [b"\x00", b"\xff\xff", b"\x01\x04", b"\x01\x04\x04\x00"])
def test_noise_and_an_echo_before_an_answer_do_not_matter(port: Spoken, slave: Slave, before: bytes) -> None:
    port.answers(lambda question: before + question + slave.answer(question))
    with asked(port) as opened:
        assert opened.registers(INPUT, 3, 2) == bytes.fromhex("01030104")
        assert opened.bits(COILS, 0, 20) == [at % 3 == 0 for at in range(20)]
        assert opened.repeated == 0


@pytest.mark.parametrize("disturbed", [b"", b"\x01\x04\x02\x00\x00\x00\x00"])
def test_one_disturbance_is_no_fault_and_is_counted(port: Spoken, slave: Slave, disturbed: bytes) -> None:
    first = [disturbed]
    port.answers(lambda question: first.pop() if first else slave.answer(question))
    with asked(port, within_s=3.0) as opened:
        assert opened.registers(INPUT, 3, 1) == bytes.fromhex("0103")
        assert opened.repeated == 1


@pytest.mark.parametrize(
    ("place", "why"), [((INPUT, 19, 2), "it has no such register"), ((2, 0, 1), "try the other table of registers")]
)
def test_what_the_slave_refuses_is_told_at_once(
    port: Spoken, slave: Slave, place: tuple[int, int, int], why: str
) -> None:
    port.answers(slave.answer)
    with asked(port) as opened, pytest.raises(Refusal, match=rf"Modbus address 1 refuses \(exception \d\): .*{why}"):
        opened.registers(*place)
    assert len(port.asked) == 1


@pytest.mark.parametrize(
    ("spoil", "error", "why"),
    [
        (lambda _: b"", OSError, "Modbus address 1: .* is open, but nothing came for 0.2 s"),
        (lambda answer: answer[:-1] + b"\x00", ValueError, "came in place of an answer with a right checksum"),
        (lambda answer: answer[:-3], ValueError, "came in place of an answer with a right checksum"),
        (lambda answer: summed(b"\x02" + answer[1:-2]), ValueError, "address 2 has answered in place of"),
        (lambda answer: summed(b"\x01\x03" + answer[2:-2]), ValueError, "in place of an answer"),
        (lambda answer: summed(answer[:2] + b"\x02\x01\x03"), ValueError, "in place of an answer"),
        (lambda _: b"\xf0\x0f", ValueError, "no whole frame; is it the right device and speed"),
    ],
    ids=["silent", "wrong checksum", "cut", "another slave", "another function", "too short", "noise"],
)
def test_damaged_answers_are_told(
    port: Spoken, slave: Slave, spoil: Callable[[bytes], bytes], error: type[Exception], why: str
) -> None:
    slave.spoil = spoil
    port.answers(slave.answer)
    with asked(port, within_s=SHORT_S) as opened:
        read = partial(opened.registers, INPUT, 3, 2)
        with pytest.raises(error, match=why):
            patiently(read) if error is ValueError else read()
    assert opened.repeated >= 1


def test_a_write_that_is_confirmed_otherwise_is_told(port: Spoken, slave: Slave) -> None:
    slave.spoil = lambda answer: summed(answer[:-3] + b"\x00")
    port.answers(slave.answer)
    with asked(port) as opened, pytest.raises(ValueError, match="register 7 was not written"):
        opened.write(7, 1)


def test_a_slave_of_another_address_is_silent(port: Spoken, slave: Slave) -> None:
    port.answers(slave.answer)
    with (
        asked(port, address=9, within_s=SHORT_S) as opened,
        pytest.raises(OSError, match=r"Modbus address 9: .*nothing"),
    ):
        opened.registers(INPUT, 0, 1)


class TcpSlave:
    """A slave behind a head of Modbus TCP; `spoil` makes its answers wrong."""

    def __init__(self, slave: Slave, spoil: Callable[[bytes], bytes]) -> None:
        self._slave, self._spoil = slave, spoil
        self._server = socket.create_server(("127.0.0.1", 0))
        self.source = Tcp("127.0.0.1", self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self._server, self._server.accept()[0] as peer:
            while question := peer.recv(300):
                number, _, size, address = struct.unpack_from(">3HB", question)
                assert size == len(question) - 6
                said = self._slave.said(question[7:])
                peer.sendall(self._spoil(struct.pack(">3HB", number, 0, len(said) + 1, address) + said))


@pytest.mark.parametrize(
    ("spoil", "error", "why"),
    [
        (lambda answer: answer, None, ""),
        (lambda answer: b"\x77\x77" + answer[2:] + answer, None, ""),
        (lambda answer: b"\x77\x77" + answer[2:], ValueError, "no answer to question"),
        (lambda answer: answer[:6] + b"\x09" + answer[7:], ValueError, "address 9 has answered in place of 1"),
        (lambda answer: answer[:9], ValueError, "9 bytes came, but no whole frame"),
        (lambda answer: answer[:2] + b"\x01\x00" + answer[4:], ValueError, "is no head of Modbus TCP"),
        (lambda _: b"", OSError, "Modbus address 1: 127.0.0.1:.* nothing came"),
    ],
    ids=["good", "after a late one", "of another question", "of another slave", "cut", "no head", "silent"],
)
def test_by_tcp(slave: Slave, spoil: Callable[[bytes], bytes], error: type[Exception] | None, why: str) -> None:
    source = TcpSlave(slave, spoil).source
    with ModbusSlave(source, ModbusTcp(), 1, LONG_S if error is None else SHORT_S) as opened:
        if error is None:
            assert opened.registers(INPUT, 3, 2) == bytes.fromhex("01030104")
            with pytest.raises(Refusal, match="no such register"):
                opened.registers(INPUT, 19, 2)
        else:
            read = partial(opened.registers, INPUT, 3, 2)
            with pytest.raises(error, match=why):
                patiently(read) if error is ValueError else read()


def test_a_late_answer_by_tcp_is_dropped_before_the_next_question() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = Tcp("127.0.0.1", server.getsockname()[1])
        with ModbusSlave(source, Rtu(), 1, SHORT_S) as opened, server.accept()[0] as peer:
            peer.sendall(summed(bytes.fromhex("01 04 02 00 07")))
            with pytest.raises(OSError, match="nothing came"):
                opened.registers(INPUT, 0, 1)


def test_a_gateway_that_hangs_up_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = Tcp("127.0.0.1", server.getsockname()[1])
        with ModbusSlave(source, ModbusTcp(), 1, LONG_S) as opened:
            server.accept()[0].close()
            with pytest.raises(OSError, match=r"closed the connection|is gone"):
                opened.registers(INPUT, 0, 1)
