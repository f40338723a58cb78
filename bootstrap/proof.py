"""Say how a kind was proven, for each part that it reads; `penates kinds --proof` and docs/kinds show it.

A plain word each, so that a device's file costs no further import while it runs.
"""

KERNEL_DRIVER = "the kernel's driver, over a simulated chip"
DRIVER_NOT_RUN = "driver not run: a folder of the files that it documents, with its errors"
RECORDED_LINES = "recorded serial lines, with errors in them"
RECORDED_RADIO = "recorded radio transmissions"
DRIVEN_LINES = "driven GPIO lines"
REAL_SYSTEM = "the real thing: a program, a network or the machine itself"

PROOFS = (KERNEL_DRIVER, DRIVER_NOT_RUN, RECORDED_LINES, RECORDED_RADIO, DRIVEN_LINES, REAL_SYSTEM)
