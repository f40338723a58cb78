"""The checksums are those of the catalogue: https://reveng.sourceforge.io/crc-catalogue/16.htm has these for 1…9."""

from bootstrap.serial_frames.crc import crc16, kermit, x25

DIGITS = b"123456789"


def test_each_checksum_of_the_digits_is_the_catalogue_s() -> None:
    assert crc16(DIGITS) == 0xBB3D  # CRC-16/ARC, of P1
    assert crc16(DIGITS, initial=0xFFFF) == 0x4B37  # CRC-16/MODBUS
    assert x25(DIGITS) == 0x906E  # CRC-16/IBM-SDLC, also X-25
    assert kermit(DIGITS) == 0x2189  # CRC-16/KERMIT
