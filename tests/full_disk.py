"""`penates`, on a disk with room for so many bytes a file: full_disk.py BYTES COMMAND …"""

import resource
import sys

from penates.__main__ import main

if __name__ == "__main__":
    # The kernel writes up to there and then says EFBIG, as it says ENOSPC where a disk ends; Python ignores SIGXFSZ.
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
    sys.exit(main(sys.argv[2:]))
