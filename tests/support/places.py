"""A house with a broker by exactly the files that we make for it."""

import dataclasses
import grp
import os
import pwd
from pathlib import Path
from typing import Any

from penates.broker.broker_plan import BrokerPlan, plan
from penates.files.planned_file import Planned
from support.world import Broker, Eyes, House, free_port

ME, MINE = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name


def write(planned: list[Planned]) -> None:
    """As whoever runs the tests."""
    for one in planned:
        one.path.parent.mkdir(parents=True, exist_ok=True)
        dataclasses.replace(one, owner=ME, group=MINE).write()


class Place:
    """A house, its site, and the broker by it."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.site = BrokerPlan(config=house.folder, mosquitto=folder, plain_port=free_port(), tls_port=free_port())
        self.broker: Broker | None = None
        self.house.write(self.site.plain_port, broker='password_file = "secrets/{sensor}"')

    def make(self, **more: Any) -> list[Planned]:
        planned = plan(dataclasses.replace(self.site, **more))
        write(planned)
        return planned

    def login(self, user: str) -> dict[str, str]:
        return {"username": user, "password": (self.house.folder / "secrets" / user).read_text().strip()}

    def eyes(self, user: str = "eyes", **more: str) -> Eyes:
        return Eyes(self.site.plain_port, **more, **self.login(user))
