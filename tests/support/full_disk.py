"""`penates`, on a disk with little room: full_disk.py FOLDER BYTES COMMAND …

The folder is a small file system of this process alone, where we may mount one. Elsewhere no file may become larger
than that: the kernel writes up to there and then says EFBIG, as it says ENOSPC at the end of a disk.
"""

import ctypes
import resource
import sys
from pathlib import Path

from penates.__main__ import main

CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x20000, 1 << 18, 1 << 14


def mount_small(folder: str, size: int) -> bool:
    """Whether a file system of our own could be put there; it is gone with our process."""
    libc = ctypes.CDLL(None)
    return not (
        libc.unshare(CLONE_NEWNS)
        or libc.mount(b"none", b"/", None, MS_PRIVATE | MS_REC, None)
        or libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={size}".encode())
    )


if __name__ == "__main__":
    where, room = sys.argv[1], int(sys.argv[2])
    Path(where).mkdir(parents=True, exist_ok=True)
    if "--no-mount" in sys.argv or not mount_small(where, room):
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))  # Python ignores the signal (SIGXFSZ)
    sys.exit(main([word for word in sys.argv[3:] if word != "--no-mount"]))
