"""A web server that answers with JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from bootstrap import Device, Limits, Measure, PageUrl, Reading
from bootstrap.answers.answer_value import AnswerValue, measures_of, parsed, reading_of
from bootstrap.answers.web_answer import SecretFile, WebRequest
from bootstrap.config.model import a_certificate
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Http(Device):
    """A page of a web server that holds JSON, such as that of an inverter, a plug with Tasmota, or a weather service.

    Wiring: none.
    """

    url: PageUrl  # of the page, such as "http://192.168.1.20/status"; {secret} in it stands for what token_file holds
    values: list[AnswerValue]  # as NAME = PATH UNIT, such as ["power = inverter.ac.power W", "on = state true|false"]
    limit_s: Annotated[float, Limits(0.1, 10)] = 5.0  # seconds in which all of the answer must be there
    ca_file: Annotated[Path, a_certificate] | None = None  # the CA to trust if the system does not, such as "ca.pem"
    token_file: SecretFile | None = None  # a file whose first line is a secret, such as "secrets/weather-token"
    # The header that carries the secret, after the word Bearer if it is this one.
    token_header: str = "Authorization"  # noqa: S105 - its name is no secret

    parts: ClassVar = dict.fromkeys(("JSON over HTTP", "Tasmota", "Shelly", "OpenWeatherMap"), REAL_SYSTEM)
    blocks = True

    answered_in = Measure("s", low=0)

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        self.measures = measures_of(self.values, type(self).measures)  # type: ignore[misc]
        self.request = WebRequest(self.url, self.limit_s, self.ca_file, self.token_file, self.token_header)

    def read(self) -> Reading:
        """Return the values, and how long the answer has taken."""
        text, seconds = self.request.timed_answer()
        return {**reading_of(self.values, parsed(text, "the answer")), "answered_in": seconds}
