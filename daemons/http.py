"""A web server that answers with JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from bootstrap import PageUrl
from bootstrap.answers.answering_device import AnsweringDevice
from bootstrap.answers.web_answer import SecretFile, WebRequest
from bootstrap.config.model import a_certificate
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Http(AnsweringDevice):
    """A page of a web server that holds JSON, such as that of an inverter, a plug with Tasmota, or a weather service.

    Wiring: none.
    """

    url: PageUrl  # of the page, such as "http://192.168.1.20/status"; {secret} in it stands for what token_file holds
    ca_file: Annotated[Path, a_certificate] | None = None  # the CA to trust if the system does not, such as "ca.pem"
    token_file: SecretFile | None = None  # a file whose first line is a secret, such as "secrets/weather-token"
    # The header that carries the secret, after the word Bearer if it is this one.
    token_header: str = "Authorization"  # noqa: S105 - its name is no secret

    parts: ClassVar = {"JSON over HTTP": REAL_SYSTEM, "REST": REAL_SYSTEM}

    def answer(self) -> tuple[str, float]:
        """Return what the server answers."""
        return WebRequest(self.url, self.limit_s, self.ca_file, self.token_file, self.token_header).timed_answer()
