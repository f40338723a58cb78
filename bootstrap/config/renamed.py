"""Settings that got another name: the one list of them, oldest first. `penates upgrade` rewrites them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rename:
    """A setting that has another name since a version.

    Attributes:
        since: the version, such as 0.4.0.
        old: its name before.
        new: its name since.
        section: the section it is in; empty above the first one.
        kinds: the kinds that have it; none if it is one of house.toml.
    """

    since: str
    old: str
    new: str
    section: str = ""
    kinds: frozenset[str] = frozenset()

    def concerns(self, kind: str | None) -> bool:
        """Return whether it is about files of this kind; None is house.toml."""
        return kind in self.kinds if self.kinds else kind is None


# None so far: all settings of 0.1.0 have the names that they had.
RENAMES: tuple[Rename, ...] = ()


def renamed(kind: str | None, section: str, key: str, renames: Iterable[Rename] | None = None) -> Rename | None:
    """Return what became of a setting that is not known, if it was renamed."""
    known = RENAMES if renames is None else renames
    return next((one for one in known if (one.section, one.old) == (section, key) and one.concerns(kind)), None)
