"""What opens and closes by a motor: its relays, its ends, the way between them, and what keeps it from closing."""
