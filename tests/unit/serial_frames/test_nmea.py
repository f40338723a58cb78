"""NMEA sentences, with errors in them: no fix is no position, and south and west are below 0."""

from functools import reduce

import pytest

from bootstrap.device import Reading
from bootstrap.serial_frames import nmea
from daemons.gps import Gps
from penates.testing import Bench
from support.spoken import Spoken, patiently

# The usual examples of both sentences, with their checksums.
GGA = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
RMC = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n"
SAYS = {"fix": "gps", "satellites": 8, "latitude": 48.1173, "longitude": 11.5166667, "altitude": 545.4, "speed": 41.48}


def sentence(text: str) -> bytes:
    return f"${text}*{reduce(lambda one, other: one ^ other, text.encode()):02X}\r\n".encode()


def gga(
    latitude: str = "4807.038,N", longitude: str = "01131.000,E", quality: str = "1", height: str = "545.4"
) -> bytes:
    return sentence(f"GNGGA,123519.00,{latitude},{longitude},{quality},08,0.9,{height},M,46.9,M,,")


def read(port: Spoken, *parts: bytes) -> Reading:
    port.plays(*parts)
    with Bench(Gps(port=port.place)) as bench:
        return patiently(bench.read)


def test_the_usual_examples(port: Spoken) -> None:
    assert read(port, GGA, RMC) == SAYS


def test_sentences_are_found_among_damaged_and_other_ones(port: Spoken) -> None:
    wrong = GGA.replace(b"4807", b"4907")
    others = (sentence("GPGSV,1,1,00"), b"$PUBX,00*33\r\n", b"\xb5\x62\x01\x02", b"$GPGGA,1235")
    assert read(port, GGA[30:], wrong, *others, RMC, RMC[:20], GGA) == SAYS


def test_a_speed_of_another_second_is_none(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nmea, "WITHIN_S", 0.5)
    later = sentence("GPRMC,123520,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W")
    assert read(port, GGA, later) == {name: value for name, value in SAYS.items() if name != "speed"}


def test_a_receiver_may_send_no_rmc(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nmea, "WITHIN_S", 0.5)
    assert "speed" not in read(port, GGA)


@pytest.mark.parametrize(
    ("latitude", "longitude", "at"),
    [
        ("0000.000,N", "00000.000,E", (0.0, 0.0)),
        ("0000.000,S", "00000.000,W", (0.0, 0.0)),
        ("3351.000,S", "01825.500,W", (-33.85, -18.425)),
        ("9000.000,S", "18000.000,W", (-90.0, -180.0)),
        ("0000.006,S", "00000.0006,W", (-0.0001, -0.00001)),
        ("4807.03800001,N", "17959.9999,E", (48.1173, 179.9999983)),
    ],
)
def test_south_and_west_are_below_nought(latitude: str, longitude: str, at: tuple[float, float]) -> None:
    found = nmea.position({"GGA": gga(latitude, longitude).decode()[7:-5].split(",")})
    assert (found["latitude"], found["longitude"]) == at
    assert "-0.0" not in (str(found["latitude"]), str(found["longitude"]))


def test_no_fix_is_no_position_and_says_so(port: Spoken) -> None:
    device = Gps(port=port.place)
    port.plays(sentence("GPGGA,123519,,,,,0,03,,,M,,M,,"), sentence("GPRMC,123519,V,,,,,,,230394,,"))
    reading = patiently(device.read)
    assert {name: reading[name] for name in ("fix", "satellites")} == {"fix": "none", "satellites": 3}
    wrong = device.check(reading)
    assert {*wrong} == {"latitude", "longitude", "altitude", "speed"}
    assert {*wrong.values()} == {"no fix (satellites: 3); can its aerial see the sky?"}


@pytest.mark.parametrize(("quality", "fix"), [("6", "estimated"), ("7", "manual"), ("8", "simulated")])
def test_what_was_not_measured_is_no_position(quality: str, fix: str) -> None:
    found = nmea.position({"GGA": gga(quality=quality).decode()[7:-5].split(",")})
    assert found["fix"] == fix
    assert isinstance(found["latitude"], ValueError)


def test_a_warning_in_the_rmc_counts_too() -> None:
    fields = {"GGA": GGA.decode()[7:-5].split(","), "RMC": RMC.replace(b",A,", b",V,").decode()[7:-5].split(",")}
    found = nmea.position(fields)
    assert (found["fix"], type(found["longitude"])) == ("none", ValueError)


@pytest.mark.parametrize(
    "text",
    [
        "GPGGA,1,2",
        "GPGGA,123519,4807.038,N,01131.000,E,x,08,0.9,1,M,,M,,",
        "GPGGA,123519,4899.0,N,01131.0,E,1,8,1,1,M,,M,,",
        "GPGGA,123519,4807.038,X,01131.000,E,1,08,0.9,1,M,,M,,",
        "GPGGA,123519,,,,,1,08,0.9,1,M,,M,,",
    ],
)
def test_a_sentence_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"GGA sentence is not one|is no angle"):
        nmea.position({"GGA": text.split(",")[1:]})


@pytest.mark.parametrize(
    ("parts", "error", "why"),
    [
        ((), OSError, "nothing came for 0.3 s"),
        ((GGA.replace(b"4807", b"4907"),), ValueError, "a sentence has a wrong checksum: .GPGGA,123519,4907"),
        ((RMC,), ValueError, "no GGA sentence came"),
        ((b"\xb5\x62\x00\n",), ValueError, "no whole frame; is it the right device and speed"),
    ],
    ids=["silence", "wrong", "no GGA", "binary"],
)
def test_without_a_position_the_reason_is_told(
    port: Spoken, monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...], error: type[Exception], why: str
) -> None:
    monkeypatch.setattr(nmea, "WITHIN_S", 0.3)
    if parts:
        port.plays(*parts)
    with pytest.raises(error, match=why):
        patiently(Gps(port=port.place).read) if parts else Gps(port=port.place).read()
