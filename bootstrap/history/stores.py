"""The stores of the history: one setting selects the store, and only what that store needs is imported."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol, TypeAlias

from bootstrap.config.model import a_certificate
from bootstrap.config.secrets import a_secret
from bootstrap.config.toml_file import Wrong
from bootstrap.errors import to_install
from bootstrap.history.points import OnLeftOut, Point
from bootstrap.history.reader import HistoryReader
from bootstrap.limits import Limits
from bootstrap.needs import ServerUrl

if TYPE_CHECKING:
    from bootstrap.history.influx.queries import Queries

CLIENT = "influxdb_client"
NOTE = "history.json"  # in a recorder's folder
SecretFile: TypeAlias = Annotated[Path, a_secret]


class Store(Protocol):
    """Stores readings. A reading that is put twice is stored once."""

    @property
    def trouble(self) -> str | None:
        """Why readings are not stored where they belong; None if all is well, as far as is known."""

    def put(self, points: Sequence[Point], on_left_out: OnLeftOut = id, /) -> dict[int, str]:
        """Store all points except those that the store can never accept.

        `on_left_out` is called for each value that the store cannot hold. The other values of its point are stored.

        Returns: the index in `points` of each of which nothing is accepted, with the reason.

        Raises:
            OSError: the store is unavailable. Some points may be stored; all must be put again.
        """

    def close(self) -> None:
        """Close the store."""


def _a_name(text: str) -> None:
    if not text.isprintable() or {*text} & {*'"/\\'} or text.startswith("."):
        raise ValueError("printable, without quotes or slashes, and not starting with a dot")


@dataclass(kw_only=True)
class StoreSettings:
    """The settings of all stores, as they appear in a recorder's file."""

    # Where to store: "sqlite" is a file and needs no server. "influxdb1" is a server with InfluxDB 1's /write, like
    # Debian's own influxdb; the database is created if it does not exist. "influxdb" is a server with InfluxDB 2's
    # /api/v2/write: InfluxDB 2 and 3, 1.8, and VictoriaMetrics (which does not store text, and needs
    # -dedup.minScrapeInterval=1ms so that a reading sent twice is stored once); it needs influxdb-client installed.
    store: Literal["sqlite", "influxdb", "influxdb1"] = "sqlite"

    # For sqlite: the file, relative to this configuration, such as "history.sqlite"; the default is history.sqlite in
    # the state folder.
    file: Path | None = None

    # For sqlite: days until readings are deleted. Their lowest, mean and highest values per five minutes and per day
    # are kept; text is deleted completely.
    keep_days: Annotated[float, Limits(1, 36_500)] = 400.0

    # For influxdb, influxdb1: the server, and its database. In InfluxDB 2 it is called a bucket, and must exist.
    url: ServerUrl = "http://localhost:8086"
    database: Annotated[str, _a_name] = "penates"

    # For influxdb, influxdb1: the CA's certificate in PEM, such as "ca.pem", if url begins with https and the system
    # does not trust the server's certificate.
    ca_file: Annotated[Path, a_certificate] | None = None

    # For influxdb: the organization that owns the bucket.
    org: str = "home"

    # For influxdb: a file whose first line is a token that may write and read it, such as "secrets/influxdb-token".
    token_file: SecretFile | None = None

    # For influxdb1: the user, such as "recorder", if the server requires a login.
    username: str | None = None

    # For influxdb1: a file whose first line is the password, such as "secrets/influxdb-password".
    password_file: SecretFile | None = None

    of: ClassVar = {
        "sqlite": {"file", "keep_days"},
        "influxdb": {"url", "ca_file", "org", "database", "token_file"},
        "influxdb1": {"url", "ca_file", "database", "username", "password_file"},
    }

    def __post_init__(self) -> None:
        """Reject settings that the selected store does not use, and the lack of those that it needs.

        Raises:
            Wrong: with a reason for each setting.
        """
        given = {field.name for field in fields(StoreSettings) if getattr(self, field.name) != field.default}
        wrong = {name: self._unused(name) for name in sorted(given - self.of[self.store] - {"store"})}
        if self.store == "influxdb" and find_spec(CLIENT) is None:
            wrong["store"] = f"the store influxdb needs influxdb-client; {to_install('influxdb-client')}"
        if self.store == "influxdb1" and (self.username is None) != (self.password_file is None):
            there, missing = ("username", "password_file") if self.username else ("password_file", "username")
            wrong[there] = f"{there!r} needs {missing!r} as well"
        if self.ca_file and not self.url.startswith("https:"):
            wrong.setdefault("ca_file", "'ca_file' needs a url that begins with https")
        if wrong:
            raise Wrong(wrong)

    def _unused(self, name: str) -> str:
        owners = " or ".join(f'"{store}"' for store, names in self.of.items() if name in names)
        return f'{name!r} is for store = {owners}, and the store is "{self.store}"'

    def sqlite_file(self, state: Path) -> Path:
        """Return the file of the SQLite store; `state` is the house's state folder."""
        return self.file or state / "history.sqlite"

    def open_reader(self, state: Path) -> HistoryReader:
        """Open the store for reading.

        Raises:
            OSError: the store does not exist, or cannot be read.
        """
        if self.store == "sqlite":
            from bootstrap.history.sqlite.reader import SqliteReader  # noqa: PLC0415

            return SqliteReader(self.sqlite_file(state))
        return self._open_reader_over_http()

    def _open_reader_over_http(self) -> HistoryReader:
        """Open a database for reading; its answers tell VictoriaMetrics from InfluxDB, which share a write API."""
        from bootstrap.history.influx.influxql_reader import InfluxqlReader  # noqa: PLC0415
        from bootstrap.history.influx.victoriametrics_reader import VictoriaMetricsReader  # noqa: PLC0415

        queries = self._queries()
        victoria = VictoriaMetricsReader(queries)
        is_victoria = self.store == "influxdb" and victoria.detected()
        return victoria if is_victoria else InfluxqlReader(queries, self.database)

    def _queries(self) -> "Queries":
        from bootstrap.history.influx.queries import Queries  # noqa: PLC0415
        from bootstrap.history.influx.store import DatabaseServer  # noqa: PLC0415

        server = DatabaseServer(self.url, self.ca_file)
        if self.store == "influxdb1":
            return Queries.by_password(server, self.username, self.password_file)
        return Queries.by_token(server, self.token_file)

    def _holds_text(self) -> bool:
        """Ask the database whether it holds text, which only VictoriaMetrics does not.

        Raises:
            OSError: it cannot be reached, or a secret cannot be read.
        """
        from bootstrap.history.influx.store import TIMEOUT_S  # noqa: PLC0415
        from bootstrap.history.influx.victoriametrics_reader import VictoriaMetricsReader  # noqa: PLC0415

        return not VictoriaMetricsReader(replace(self._queries(), patience_s=TIMEOUT_S)).detected()

    def open_store(self, state: Path, *, owner: bool = True, note: Path | None = None) -> Store:
        """Open the store, or prepare to connect to it.

        An `owner` may replace a damaged SQLite file. `note` remembers that file, so that it is not begun anew when it
        is missing.

        Raises:
            OSError: a file cannot be opened. A database need not be available yet.
        """
        if self.store == "sqlite":
            from bootstrap.history.sqlite.store import SqliteStore  # noqa: PLC0415

            return SqliteStore(self.sqlite_file(state), self.keep_days, owner=owner, note=note)
        from bootstrap.history.influx.store import DatabaseServer, InfluxStore  # noqa: PLC0415

        server = DatabaseServer(self.url, self.ca_file)
        if self.store == "influxdb1":
            from bootstrap.history.influx.influxdb1_writer import Influxdb1Writer  # noqa: PLC0415

            writer = Influxdb1Writer(server, self.database, self.username, self.password_file)
            return InfluxStore(writer, self._holds_text)
        from bootstrap.history.influx.influxdb2_writer import Influxdb2Writer  # noqa: PLC0415 - 28 MB

        return InfluxStore(Influxdb2Writer(server, self.org, self.database, self.token_file), self._holds_text)
