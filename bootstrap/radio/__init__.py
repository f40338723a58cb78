"""Radio: what a receiver hears by rtl_433 as readings, and what a transmitter sends to sockets."""
