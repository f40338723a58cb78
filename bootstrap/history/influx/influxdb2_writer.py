"""The write API of InfluxDB 2, which InfluxDB 3, 1.8 and VictoriaMetrics also offer, with its own client library."""

from pathlib import Path

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS, WriteApi
from influxdb_client.rest import ApiException
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from bootstrap.bounded_answer import BoundedAnswer
from bootstrap.config.secrets import read_secret
from bootstrap.history.influx.store import TIMEOUT_S, TOKEN, DatabaseAnswer, DatabaseServer

WRITTEN = DatabaseAnswer(204)


class _Http(HTTPConnection):
    response_class = BoundedAnswer


class _Https(HTTPSConnection):
    response_class = BoundedAnswer


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


POOLS = {"http": _HttpPool, "https": _HttpsPool}


class Influxdb2Writer:
    """Keeps one connection open. The bucket must exist: `influx bucket create` creates it."""

    def __init__(self, server: DatabaseServer, org: str, bucket: str, token_file: Path | None) -> None:
        self._server, self._org, self._bucket, self._token_file = server, org, bucket, token_file
        self._client: InfluxDBClient | None = None
        self._api: WriteApi | None = None
        self.advice = {
            401: TOKEN,
            403: TOKEN,
            404: f"no bucket {bucket!r} in the org {org!r}, or no InfluxDB 2 at {server.url}",
        }

    def post(self, lines: bytes) -> DatabaseAnswer:
        """Write these lines; writing them twice changes nothing."""
        try:
            self._open().write(self._bucket, self._org, lines, "us")  # type: ignore[arg-type]  # accepts a precision
        except ApiException as error:
            if not error.status:
                raise OSError(f"{self._server.url}: {error.reason}") from None
            wait = error.headers.get("Retry-After", "")
            return DatabaseAnswer(error.status, error.body or "", wait)
        except HTTPError as error:
            raise OSError(f"{self._server.url}: {error}") from None
        except UnicodeDecodeError:
            raise OSError(f"{self._server.url}: this is not an answer of InfluxDB") from None
        return WRITTEN

    def _open(self) -> WriteApi:
        if self._api is None:
            token = read_secret(self._token_file) if self._token_file else ""
            ca_file = str(self._server.ca_file) if self._server.ca_file else None
            limit_ms = int(TIMEOUT_S * 1000)
            self._client = InfluxDBClient(self._server.url, token, org=self._org, timeout=limit_ms, ssl_ca_cert=ca_file)
            self._client.api_client.rest_client.pool_manager.pool_classes_by_scheme = POOLS
            self._api = self._client.write_api(write_options=SYNCHRONOUS)
        return self._api

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
        self._client = self._api = None
