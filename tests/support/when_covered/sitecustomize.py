"""Python runs this at the start of a process whose coverage is measured: SIGUSR2 ends it, and keeps what was measured.

A test kills what is left at its end, and a killed process keeps nothing.
"""

import os
import signal

signal.signal(signal.SIGUSR2, lambda _number, _frame: os._exit(0))  # which coverage makes save its data
