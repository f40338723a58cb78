"""The streams of a device: child processes, serial ports and sockets in the event loop, without a thread."""
