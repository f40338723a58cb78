"""The event loop of a process, its threads and sockets, and when to try again."""
