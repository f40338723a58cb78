"""Our users and their rules in the files of a Mosquitto on this machine that somebody else looks after."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.toml_file import Fault, SettingsError, contents
from bootstrap.contract.topics import ADMIN, EYES, HOME_ASSISTANT
from penates.broker import mosquitto_files
from penates.broker.broker_plan import BrokerUsers, secret_of_user
from penates.broker.local_mosquitto import LocalMosquitto, faults_of, ours_in, theirs, with_ours
from penates.files.install_paths import LOOKERS, SECRETS
from penates.files.planned_file import ENTERED, Planned, as_it_is

ALL = "topic read #", "topic readwrite #"  # what who looks and who acts may at a broker of our own


@dataclass(frozen=True)
class GuestPlan:
    """What we add to a broker of others.

    Attributes:
        config: the house's folder.
        mosquitto: how we come in.
    """

    config: Path
    mosquitto: LocalMosquitto

    def files(self) -> list[Planned]:
        """Return the secrets, and the broker's two files with our part at the end of each.

        Raises:
            SettingsError: the configuration is faulty, or a user of theirs has the name of one of ours.
            OSError: a file cannot be read.
        """
        house = BrokerUsers.of(self.config)
        users = [user for user in house.users if user != HOME_ASSISTANT]  # theirs connects as it did before
        known = {user: secret_of_user(self.config / "secrets" / user) for user in users}
        passwords = {user: password for user, (password, _) in known.items()}
        found = [Planned(self.config / "secrets", None, ENTERED, group=LOOKERS), *(one for _, one in known.values())]
        if self.mosquitto.passwords:
            found.append(self._with(self.mosquitto.passwords, lambda text: self._users(text, passwords)))
        if self.mosquitto.rules:
            rules = guest_rules(house, users)
            found.append(self._with(self.mosquitto.rules, lambda _text: rules))
        return found

    @staticmethod
    def _with(file: Path, part: Callable[[str], str]) -> Planned:
        """Return a file of theirs with our part, and with the owner and mode that it has."""
        text = contents(file).decode(errors="surrogateescape")
        with faults_of(file, text):
            return as_it_is(file, with_ours(text, part(text)).encode(errors="surrogateescape"))

    def _users(self, text: str, passwords: Mapping[str, str]) -> str:
        """Return the lines of our users. One that is there already, and whose password we know, stays."""
        mine = dict(passwords)
        faults = []
        for number, line in enumerate(theirs(text), 1):
            user = line.partition(":")[0]
            if user in mine and not mosquitto_files.fits(line, mine.pop(user)):
                wanted = f"write its password into {SECRETS / user}, and it is used as it is"
                why = f"{user!r} is a user there already, and we need one of that name: {wanted}; or rename the sensor"
                faults.append(Fault(str(self.mosquitto.passwords), number, why))
        if faults:
            raise SettingsError(faults)
        return mosquitto_files.passwords(mine, ours_in(text))


def guest_rules(house: BrokerUsers, users: list[str]) -> str:
    """Return the rules of our users, each for itself alone: a pattern would be for everybody at that broker."""
    text = mosquitto_files.acl(house.groups, house.recorded, house.sensors, house.prefix)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    patterns = [line for line in lines if line.startswith("pattern ")]
    own: dict[str, list[str]] = {user: [] for user in users}
    user = ""
    for line in lines:
        if line.startswith("user "):
            user = line.removeprefix("user ")
        elif user in own and not line.startswith("pattern "):
            own[user].append(line)
    found = ([f"user {name}", *_rules(house, name, rules, patterns)] for name, rules in own.items())
    return "".join(f"{row}\n" for rows in found for row in rows)


def _rules(house: BrokerUsers, user: str, rules: list[str], patterns: list[str]) -> Iterator[str]:
    if user not in (ADMIN, EYES):
        for one in patterns:
            denied = one.startswith("pattern deny ")
            if not (denied and user in house.recorded):  # a recorder may say that it records
                yield one.replace("pattern ", "topic ", 1).replace("%u", user)
    for one in rules:
        if one in ALL:
            yield from (one.replace("#", f"{group}/#") for group in house.groups)
        else:
            yield one
    if user == ADMIN:
        yield from (f"topic readwrite {one}" for each in house.sensors.values() for one in each.announced)
