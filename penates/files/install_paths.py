"""The paths of an installed penates."""

from pathlib import Path

PROGRAM = Path("/opt/penates")  # the virtual environment
# Is there as long as the programme is a Debian package; penates.list outlives a removal until the purge.
PACKAGED = Path("/var/lib/dpkg/info/penates.prerm")
RECORD = PROGRAM / "installed.json"
COMMAND = PROGRAM / "bin" / "penates"
ON_PATH = Path("/usr/local/bin/penates")
HOUSE = Path("/etc/penates")
CA = "ca.pem"  # in that folder: the CA that clients of the broker trust
SECRETS = HOUSE / "secrets"
INVITED = HOUSE / "invited"
SITES = HOUSE / "sites"
STATE = Path("/var/lib/penates")
RUNTIME = Path("/run/penates")
UNITS = Path("/etc/systemd/system")
PACKAGED_UNITS = Path("/usr/lib/systemd/system")
MOSQUITTO = Path("/etc/mosquitto")
USER = "penates"  # of the sensors, and their group
LOOKERS = "penates-eyes"  # the group of the people who may read the password of `eyes`; no sensor is in it
