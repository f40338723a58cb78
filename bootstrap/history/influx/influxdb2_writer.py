"""The write API of InfluxDB 2, by its own client: also of InfluxDB 3, of 1.8, and of VictoriaMetrics."""

from pathlib import Path

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS, WriteApi
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from bootstrap.config.secrets import read_secret
from bootstrap.history.influx.store import TIMEOUT_S, TOKEN, DatabaseAnswer, DatabaseServer

WRITTEN = DatabaseAnswer(204)


class Influxdb2Writer:
    """One client, which keeps its connection open. A bucket is made by `influx bucket create`, not by us."""

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
        """See `Wire.post`."""
        try:
            self._opened().write(self._bucket, self._org, lines, "us")  # type: ignore[arg-type]  # what it takes it for
        except ApiException as error:
            if not error.status:
                raise OSError(f"{self._server.url}: {error.reason}") from None
            wait = error.headers.get("Retry-After", "")
            return DatabaseAnswer(error.status, error.body or "", wait)
        except HTTPError as error:
            raise OSError(f"{self._server.url}: {error}") from None
        except UnicodeDecodeError:
            raise OSError(f"{self._server.url}: no InfluxDB's answer") from None
        return WRITTEN

    def _opened(self) -> WriteApi:
        if self._api is None:
            token = read_secret(self._token_file) if self._token_file else ""
            ca_file = str(self._server.ca_file) if self._server.ca_file else None
            limit_ms = int(TIMEOUT_S * 1000)
            self._client = InfluxDBClient(self._server.url, token, org=self._org, timeout=limit_ms, ssl_ca_cert=ca_file)
            self._api = self._client.write_api(write_options=SYNCHRONOUS)
        return self._api

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]  # its own
        self._client = self._api = None
