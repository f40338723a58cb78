"""Attempts to connect to the broker's addresses in turn, in a worker thread, with the current password."""

import socket
import time
from collections.abc import Callable
from functools import partial

from bootstrap.eventloop.threads import Worker, WorkerCall
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.refusals import cure

CONNECT_S = 120.0  # for a name server that has no limit of its own, SYNs and the TLS handshake


class Attempts:
    """Makes one attempt at a time; the outcome of one that was overtaken is ignored."""

    def __init__(
        self,
        worker: Worker,
        address: BrokerAddress,
        connected: Callable[[socket.socket, ConnectOptions], None],
        failed: Callable[[str], None],
    ) -> None:
        """Call `connected(socket, options)` or `failed(why)` when an attempt has ended."""
        self._worker, self._address = worker, address
        self._on_connected, self._on_failed = connected, failed
        self._number = 0
        self._host = 0
        self._began_at = 0.0
        self._call: WorkerCall[socket.socket] | None = None
        self._options: ConnectOptions | None = None
        self.tried = ""  # the last host and port

    def use(self, address: BrokerAddress) -> None:
        """Connect to this address from now on."""
        self._address, self._host = address, 0
        self.cancel()

    def start(self) -> None:
        """Begin an attempt."""
        self.cancel()
        self._began_at = time.monotonic()
        address = self._address
        host = address.hosts[self._host % len(address.hosts)]
        self.tried = f"{host}:{address.port}"
        then, failed = partial(self._connected, self._number), partial(self._failed, self._number)
        self._call = self._worker.call(partial(connect, host, address.port, address.ca_file), then, failed)

    def cancel(self) -> None:
        """Ignore the outcome of the attempt that runs, or do not begin it if it waits for a thread."""
        self._number += 1
        if self._call is not None:
            self._call.cancel()

    def next_host(self) -> bool:
        """Use the next address. Returns whether it has not been tried in this round."""
        self._host += 1
        return self._host % len(self._address.hosts) != 0

    @property
    def age_s(self) -> float:
        """How long ago the last attempt began, in seconds."""
        return time.monotonic() - self._began_at

    @property
    def making_progress(self) -> bool:
        """Whether the attempt may still end by itself, or waits for those of other sensors."""
        began = self._call.began if self._call is not None else None
        return began is None or time.monotonic() - began < CONNECT_S

    def _failed(self, number: int, error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        if number == self._number:
            self._on_failed(f"{self.tried}: {error}")

    def _connected(self, number: int, ready: socket.socket) -> None:
        if number != self._number:
            ready.close()
            return
        try:
            self._options = self._address.connect_options()
        except (OSError, ValueError) as error:
            ready.close()
            self._on_failed(f"the password: {error}")
        else:
            self._on_connected(ready, self._options)

    # For the log.

    @property
    def login(self) -> str:
        """How we have last introduced ourselves: client id, user, and whether there is a password."""
        if self._options is None:
            return "us"
        user = f"user {self._options.username}" if self._options.username else "no user"
        return f"client id {self._options.client_id}, {user}, {'a' if self._options.password else 'no'} password"

    def cure(self, code: int) -> str:
        """Return what to do about a refusal with this reason code."""
        return cure(code, self._options) if self._options else ""

    @property
    def taken_over(self) -> str:
        """What it means that another client has taken over our session."""
        return f"another client has the client id {self._identity}"

    @property
    def suspicion(self) -> str:
        """What may end one connection after another if the broker gives no reason, as MQTT 3.1.1 has none."""
        return f"is it the network, or has another client the client id {self._identity}?"

    @property
    def _identity(self) -> str:
        user = self._options.username if self._options else None
        as_user = f" (or the user {user}, if the broker takes that for the client id)" if user else ""
        return f"{self._address.topics.client_id}{as_user}"
