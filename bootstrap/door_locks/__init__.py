"""Door locks: what drives the bolt, whether its contact can be believed, and when it is locked again."""
