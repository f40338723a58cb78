"""Checksums of 16 bits that several protocols share: each bit of the data, lowest first, divides a polynomial."""

MODBUS_AND_P1 = 0xA001
CCITT = 0x8408


def crc16(data: bytes, polynomial: int = MODBUS_AND_P1, initial: int = 0) -> int:
    """Return the remainder: Modbus begins with 0xFFFF, P1 with 0; X.25 begins with 0xFFFF and inverts the result."""
    crc = initial
    for one in data:
        crc ^= one
        for _ in range(8):
            crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
    return crc


def x25(data: bytes) -> int:
    """Return the checksum of X.25, which SML has."""
    return crc16(data, CCITT, 0xFFFF) ^ 0xFFFF


def kermit(data: bytes) -> int:
    """Return the checksum of Kermit, which some meters have in place of that of X.25."""
    return crc16(data, CCITT)
