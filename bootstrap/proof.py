"""Say how a kind was proven, for each part that it reads; `penates kinds --proof` and docs/kinds show it.

A plain word each, so that a device's file costs no further import while it runs.
"""

KERNEL_DRIVER = "the kernel's driver, over a simulated chip"
DRIVER_NOT_RUN = "driver not run: a folder of the files that it documents, with its errors"
WRITTEN_LINES = "serial lines written after the data sheet, with errors in them"
WRITTEN_MESSAGES = "MQTT messages written after recordings and the makers' documentation"
WRITTEN_RADIO = "radio transmissions written after the protocol, given to rtl_433 in place of a stick"
DRIVEN_LINES = "driven GPIO lines"
WRITTEN_BUS = "a simulated I2C bus, whose bytes are read as the chip's data sheet says"
REAL_SYSTEM = "the real thing: a program, a network or the machine itself"

PROOFS = (
    KERNEL_DRIVER,
    DRIVER_NOT_RUN,
    WRITTEN_LINES,
    WRITTEN_MESSAGES,
    WRITTEN_RADIO,
    DRIVEN_LINES,
    WRITTEN_BUS,
    REAL_SYSTEM,
)
