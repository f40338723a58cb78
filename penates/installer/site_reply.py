"""What the site that has invited another one needs to call its broker, too, in one file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from bootstrap.config.toml_file import contents
from penates.files.install_paths import SITES
from penates.files.planned_file import FOLDER_MODE, SECRET, Planned
from penates.installer import json_fields
from penates.installer.json_fields import Rule, read_fields
from penates.installer.site_invitation import GROUPS, SITE, OwnSide, ca_file, calling, far_site_file

MARK = "reply_to"  # the field that no invitation has


@dataclass(frozen=True, kw_only=True)
class SiteReply:
    """The answer of a site that was invited, and can be called.

    It has no secrets: each user of a site has the same password at the other one.

    Attributes:
        reply_to: the site that has invited it.
        site: the site that answers.
        groups: its groups.
        brokers: names and addresses of its broker that are in its certificate.
        port: the port under which they are reached.
        ca: the CA certificate to trust, in PEM.
    """

    reply_to: str
    site: str
    groups: list[str]
    brokers: list[str]
    port: int
    ca: str

    @staticmethod
    def is_in(file: Path) -> bool:
        """Return whether a file seems to be a reply, and no invitation."""
        try:
            return MARK in json.loads(contents(file))
        except (OSError, ValueError, RecursionError, TypeError):
            return False

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a reply from a file.

        Raises:
            Fatal: the file is not a reply; the message names each wrong field.
        """
        return cls(**read_fields(file, FIELDS, "a reply, as `penates bridge join --callable` writes one"))

    @property
    def planned(self) -> Planned:
        """The file, as it is kept at the site that answers and copied to the other one."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        return Planned(SITES / f"{self.reply_to}.json", text.encode(), SECRET)

    def joined(self, own: OwnSide, hosts: Sequence[str]) -> Iterator[Planned]:
        """Yield what the site writes that gets the reply; `hosts` are those of the brokers that it reaches."""
        yield Planned(SITES, None, FOLDER_MODE)
        yield Planned(ca_file(self.site), self.ca.encode())
        called = calling(self.site, self.reply_to, hosts, self.port, fetch=False)
        yield far_site_file(self.site, self.groups, self.site, own, called)


FIELDS: Mapping[str, Rule] = {
    MARK: SITE,
    "site": SITE,
    "groups": GROUPS,
    "brokers": json_fields.HOSTS,
    "port": json_fields.PORT,
    "ca": json_fields.CERTIFICATE,
}
