"""Where the history is stored: one setting chooses, and only what it needs is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from bootstrap.config.model import a_certificate
from bootstrap.config.secrets import a_secret
from bootstrap.config.toml_file import Wrong
from bootstrap.errors import to_install
from bootstrap.history.points import Point
from bootstrap.history.reader import HistoryReader
from bootstrap.limits import Limits

CLIENT = "influxdb_client"
SecretFile: TypeAlias = Annotated[Path, a_secret]


class Store(Protocol):
    """Takes readings, and may take the same one twice: it has it once."""

    def put(self, points: Sequence[Point]) -> dict[int, str]:
        """Store all but those that it will never take: their numbers in `points`, each with the reason.

        Raises:
            OSError: it cannot store now. Some may be stored; all are to be put again.
        """

    def close(self) -> None:
        """Let go of it."""


def _a_url(text: str) -> None:
    wanted = "http://HOST:PORT or https://HOST, without user and password"
    try:
        url = urlsplit(text)
        good = url.scheme in ("http", "https") and url.hostname and url.port != 0 and "@" not in url.netloc
    except ValueError:
        good = False
    if not good or url.query or url.fragment or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(wanted)


def _a_name(text: str) -> None:
    if not text.isprintable() or {*text} & {*'"/\\'} or text.startswith("."):
        raise ValueError("printable, without quotes, slashes or a dot in front")


@dataclass(kw_only=True)
class StoreSettings:
    """The settings of all stores, as they stand in a recorder's file."""

    # Where: "sqlite" is one file, and needs nothing. "influxdb1" is a database that knows InfluxDB 1's /write, like
    # Debian's own influxdb; it is created if it is not there. "influxdb" is one with InfluxDB 2's /api/v2/write:
    # InfluxDB 2 and 3, 1.8, and VictoriaMetrics (which forgets words, and needs -dedup.minScrapeInterval=1ms to keep a
    # reading that it is told twice once); it needs influxdb-client installed.
    store: Literal["sqlite", "influxdb", "influxdb1"] = "sqlite"

    # For sqlite: the file, relative to this configuration, such as "history.sqlite"; without it history.sqlite in the
    # state folder.
    file: Path | None = None

    # For sqlite: days until readings are deleted. Their lowest, mean and highest values over five minutes and over a
    # day remain; of words nothing does.
    keep_days: Annotated[float, Limits(1, 36_500)] = 400.0

    # For influxdb, influxdb1: the server, and the database in it, which InfluxDB 2 calls a bucket and wants made first.
    url: Annotated[str, _a_url] = "http://localhost:8086"
    database: Annotated[str, _a_name] = "penates"

    # For influxdb, influxdb1: the CA's certificate in PEM, such as "ca.pem", if url begins with https and the system
    # does not trust it anyhow.
    ca_file: Annotated[Path, a_certificate] | None = None

    # For influxdb: whose bucket it is.
    org: str = "home"

    # For influxdb: a file whose first line is a token to write to it and read it, such as "secrets/influxdb-token".
    token_file: SecretFile | None = None

    # For influxdb1: if it wants a login, the user, such as "recorder".
    username: str | None = None

    # For influxdb1: a file whose first line is the password, such as "secrets/influxdb-password".
    password_file: SecretFile | None = None

    of: ClassVar = {
        "sqlite": {"file", "keep_days"},
        "influxdb": {"url", "ca_file", "org", "database", "token_file"},
        "influxdb1": {"url", "ca_file", "database", "username", "password_file"},
    }

    def __post_init__(self) -> None:
        """Refuse what the store in use would not look at, or cannot do without.

        Raises:
            Wrong: with every reason.
        """
        given = {field.name for field in fields(StoreSettings) if getattr(self, field.name) != field.default}
        wrong = {name: self._unused(name) for name in sorted(given - self.of[self.store] - {"store"})}
        if self.store == "influxdb" and find_spec(CLIENT) is None:
            wrong["store"] = f"the store influxdb needs influxdb-client; {to_install('influxdb-client')}"
        if self.store == "influxdb1" and (self.username is None) != (self.password_file is None):
            there, missing = ("username", "password_file") if self.username else ("password_file", "username")
            wrong[there] = f"{there!r} needs {missing!r} beside it"
        if self.ca_file and not self.url.startswith("https:"):
            wrong.setdefault("ca_file", "'ca_file' needs a url that begins with https")
        if wrong:
            raise Wrong(wrong)

    def _unused(self, name: str) -> str:
        owners = " or ".join(f'"{store}"' for store, names in self.of.items() if name in names)
        return f'{name!r} is for store = {owners}, and the store is "{self.store}"'

    def place(self, state: Path) -> Path:
        """The file of the store sqlite."""
        return self.file or state / "history.sqlite"

    def open_reader(self, state: Path) -> HistoryReader:
        """Open it for reading.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        if self.store == "sqlite":
            from bootstrap.history.sqlite.reader import SqliteReader  # noqa: PLC0415

            return SqliteReader(self.place(state))
        return self._open_reader_over_http()

    def _open_reader_over_http(self) -> HistoryReader:
        """InfluxDB 2's write API is that of others, too; which one it is it says itself."""
        from bootstrap.history.influx.influxql_reader import InfluxqlReader  # noqa: PLC0415
        from bootstrap.history.influx.queries import Queries  # noqa: PLC0415
        from bootstrap.history.influx.store import DatabaseServer  # noqa: PLC0415
        from bootstrap.history.influx.victoriametrics_reader import VictoriaMetricsReader  # noqa: PLC0415

        server = DatabaseServer(self.url, self.ca_file)
        if self.store == "influxdb1":
            return InfluxqlReader(Queries.by_password(server, self.username, self.password_file), self.database)
        queries = Queries.by_token(server, self.token_file)
        victoria = VictoriaMetricsReader(queries)
        return victoria if victoria.there() else InfluxqlReader(queries, self.database)

    def open_store(self, state: Path, *, owner: bool = True) -> Store:
        """Open it, or get ready to; `state` is the house's state folder. Not its `owner`: others write to it, too.

        Raises:
            OSError: a file cannot be opened. A database may well be away.
        """
        if self.store == "sqlite":
            from bootstrap.history.sqlite.store import SqliteStore  # noqa: PLC0415

            return SqliteStore(self.place(state), self.keep_days, owner=owner)
        from bootstrap.history.influx.store import DatabaseServer, InfluxStore  # noqa: PLC0415

        server = DatabaseServer(self.url, self.ca_file)
        if self.store == "influxdb1":
            from bootstrap.history.influx.influxdb1_writer import Influxdb1Writer  # noqa: PLC0415

            return InfluxStore(Influxdb1Writer(server, self.database, self.username, self.password_file))
        from bootstrap.history.influx.influxdb2_writer import Influxdb2Writer  # noqa: PLC0415 - 28 MB

        return InfluxStore(Influxdb2Writer(server, self.org, self.database, self.token_file))
