"""The fan of docs/ADDING.md does what it says there."""

import re
import signal

from support.paths import ROOT
from support.world import Eyes, Wires


def test_the_fan_of_the_documentation(wires: Wires, eyes: Eyes) -> None:
    text = (ROOT / "docs" / "ADDING.md").read_text()
    (example,) = re.findall(r"```python\n(\"\"\"A fan .*?)```", text, re.DOTALL)
    (wires.house.folder / "fan.py").write_text(example)
    wires.house.thermometer(millidegrees=30_000, every_s=0.5)
    cellar = wires.house.run()
    wires.run("cooler", 'kind = "fan.Fan"\npin = 17\nfollows = "cm/cellar/data/temperature"\n')
    eyes.wait_value("cm/cooler/data/running", True)
    since = len(eyes.seen)
    wires.house.probe("cellar", 20_000)
    eyes.wait_value("cm/cooler/data/running", False, since)
    since = len(eyes.seen)
    wires.house.probe("cellar", 25_500)
    eyes.wait_value("cm/cooler/data/running", True, since)
    since = len(eyes.seen)
    cellar.send(signal.SIGKILL)
    eyes.wait_value("cm/cooler/data/running", False, since)
    assert wires.held(17) == "0"
