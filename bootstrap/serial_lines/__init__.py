"""What a microcontroller writes to a serial port, line by line, as readings."""
