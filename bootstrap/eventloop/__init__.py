"""The event loop of a process, its threads and sockets, and the backoff between attempts."""
