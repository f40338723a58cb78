"""What the kernel's own drivers measure: chips on I2C, SPI and single lines, read from the files of their drivers."""
