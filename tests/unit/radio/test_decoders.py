"""Which of rtl_433's decoders are on, and how it is called."""

import pytest

from bootstrap.needs import NetworkHost, UsbDevice
from bootstrap.radio.decoders import chosen, in_program, is_private, listed
from bootstrap.radio.ignoring import a_rule, ignored
from bootstrap.radio.receiver import FIRST_STICK, RadioInput, Receiver, a_gain, an_option, receiver_failure

HELP = """
\t\t= Supported device protocols =
    [04]  Waveman Switch Transmitter
    [14]* Intertechno 433
    [19]  Nexus, FreeTec NC-7345
    [23]  DSC Security Contact
    [64]* Honda Car Key
    [60]  Schrader TPMS

* Disabled by default, use -R n or a conf file to enable
"""
THERE = listed(HELP)


def test_what_is_listed_is_understood() -> None:
    assert [*THERE] == [4, 14, 19, 23, 64, 60]
    assert [one.number for one in THERE.values() if one.private] == [23, 64, 60]
    assert [one.number for one in THERE.values() if not one.usual] == [14, 64]


@pytest.mark.parametrize(
    ("wanted", "all_", "numbers"),
    [
        ([19], False, [19]),
        ([19, 23, 999], False, [19, 23]),
        ([], True, [-23, -60]),
        ([], False, [-23, -60]),
        ([14, 19, 23], True, [-60, 14]),
    ],
)
def test_alarms_and_tyres_are_off_unless_they_are_wanted(wanted: list[int], all_: bool, numbers: list[int]) -> None:
    assert chosen(THERE, wanted, all_=all_) == numbers


def test_without_a_list_all_is_left_to_rtl_433() -> None:
    assert chosen({}, [19], all_=False) == []


def test_a_program_that_does_not_list_has_none() -> None:
    assert in_program("true") == {}
    with pytest.raises(OSError, match="No such file"):
        in_program("/no/such/rtl_433")


@pytest.mark.parametrize(
    ("text", "arguments", "needs"),
    [
        ("0", ["-d", "0"], [UsbDevice("0", ("0bda:2832", "0bda:2838"), "", "dvb_usb_rtl28xxu")]),
        (":0001", ["-d", ":0001"], [UsbDevice(":0001", ("0bda:2832", "0bda:2838"), "0001", "dvb_usb_rtl28xxu")]),
        ("rtl_tcp:attic:1234", ["-d", "rtl_tcp:attic:1234"], [NetworkHost("attic")]),
        ("rtl_tcp:", ["-d", "rtl_tcp:"], [NetworkHost("localhost")]),
        ("driver=airspy", ["-d", "driver=airspy"], [UsbDevice("driver=airspy")]),
        ("ook:/srv/air", ["-r", "ook:/srv/air"], []),
        ("/srv/x.cu8", ["-r", "/srv/x.cu8"], []),
    ],
)
def test_each_input_is_told_and_declared(text: str, arguments: list[str], needs: list[object]) -> None:
    found = RadioInput(text)
    assert (found.arguments, found.needs(), str(found)) == (arguments, needs, text)


@pytest.mark.parametrize("text", ["", "stick", "rtl_tcp:a b", "x.cu8", "-d 0", "driver=a b"])
def test_what_is_no_input_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|name|host"):
        RadioInput(text)


def test_every_setting_reaches_the_program() -> None:
    command = Receiver("rtl_433", FIRST_STICK, 868.3125, "28", ["-s", "1000k"]).child([-23, 14]).command
    assert command[-10:] == ["-f", "868.3125M", "-g", "28", "-s", "1000k", "-R", "-23", "-R", "14"]
    assert "-g" not in Receiver("rtl_433", FIRST_STICK, 433.92, "auto", []).child([]).command


def test_an_option_that_a_setting_stands_for_is_refused() -> None:
    an_option("-p")
    an_option("1000k")
    for word in ("-F", "-R", "-d", "-fx"):
        with pytest.raises(ValueError, match="options of rtl_433 other than"):
            an_option(word)


def test_a_gain_is_a_number_or_one_of_each_stage() -> None:
    for text in ("auto", "28", "49.6", "LNA=40,VGA=20"):
        a_gain(text)
    for text in ("", "loud", "28dB", "LNA="):
        with pytest.raises(ValueError, match="dB such as"):
            a_gain(text)


def test_names_of_alarms_and_the_like_are_known_in_each_form() -> None:
    private = ("Honda Car Key", "Ford-CarKey", "Quhwa", "Smoke-GS558", "Hormann HSM2, HSM4, HS1-868-BS", "Secplus-v1")
    assert all(map(is_private, private))
    assert not any(map(is_private, ("Oregon Scientific Weather Sensor", "Proove", "Markisol, E-Motion curtain remote")))


def test_a_stick_that_is_not_there_is_absent() -> None:
    failure = receiver_failure("ended with exit code 2: No supported devices found.")
    assert str(failure) == "ended with exit code 2: No supported devices found."
    assert (failure.errno, receiver_failure("usb_claim_interface error -6").errno) == (19, 5)


def is_ignored(rule: str) -> bool:
    return ignored({"model": "Nexus-TH", "id": 44, "channel": 2}, [rule])


def test_rules_name_whom_to_leave_out() -> None:
    assert all(map(is_ignored, ("Nexus-TH", "Nexus-TH 44", "Nexus* * 2", "*")))
    assert not any(map(is_ignored, ("Nexus", "Nexus-TH 4", "Nexus-TH 44 1")))
    for text in (" ", "a b c d"):
        with pytest.raises(ValueError, match="a model, or model and id"):
            a_rule(text)
