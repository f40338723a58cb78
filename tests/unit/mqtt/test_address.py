"""The broker's address, as the settings have it."""

from pathlib import Path

from bootstrap.config.model import BrokerSettings as Section
from bootstrap.contract.topics import Topics
from bootstrap.mqtt.address import BrokerAddress


def test_no_port_given_is_the_usual_one() -> None:
    topics = Topics("cm", "cellar")
    assert BrokerAddress(Path(), Section(), topics).port == 1883
    assert BrokerAddress(Path(), Section(ca_file=Path("ca.pem")), topics).port == 8883
