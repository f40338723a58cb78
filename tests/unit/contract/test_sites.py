"""Every word below `status` is known to the link, so that a new one is not lost over a metered one."""

import re

from bootstrap.contract.sites import NEVER_BRIDGED, OF_A_BRIDGE, OF_A_SENSOR, THINNED
from support.paths import ROOT

DOCUMENTED = re.compile(r"status/([a-z]+)\b")
SAID = re.compile(r"""(?:\.status|publish_status|Topics\.status)\(\s*["']([a-z]+)["']""")


def test_every_word_below_status_is_carried_thinned_or_left_out_on_purpose() -> None:
    files = [*(ROOT / "bootstrap").rglob("*.py"), *(ROOT / "daemons").rglob("*.py")]
    said = {word for file in files for word in SAID.findall(file.read_text())}
    assert said >= {"about", "state", "heartbeat", "health", "unknown", "action"} - {"unknown"}
    known = [*OF_A_SENSOR, *OF_A_BRIDGE, *THINNED, *NEVER_BRIDGED]
    assert len(known) == len({*known})
    assert {*known} == said | {*DOCUMENTED.findall((ROOT / "docs" / "TOPICS.md").read_text())}
