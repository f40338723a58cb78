"""Modbus, over RTU and TCP: registers that a file describes, and the devices whose registers are known.

It is our own, of a page for each form of frame: of the libraries that are kept up, one has no TCP, and no lock on a bus
that several processes share, and the other one costs each process 4 MB more.
"""
