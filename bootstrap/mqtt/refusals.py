"""What to do about a broker that does not accept a connection, by the reason code of its CONNACK."""

from bootstrap.mqtt.address import ConnectOptions

# CONNACK reason codes that pass by themselves: server unavailable, busy, quota and rate exceeded (MQTT 5, 3.2.2.2).
PASSING = frozenset({0x88, 0x89, 0x97, 0x9F})

# paho gives the codes of a CONNACK of MQTT 3.1.1 the numbers of MQTT 5.
WILL = "it does not accept the last will; let the sensor publish its own status/state"
MOVED = "set `host` in [broker] of house.toml to the server that it names"
CURES = {
    0x84: 'set protocol = "{other}" in [broker] of house.toml',
    0x85: "it does not accept the client id {client_id}, which is GROUP/SENSOR of the settings",
    0x86: "see username and password_file in [broker] of house.toml",
    0x87: "see username and password_file in [broker] of house.toml, and whether it accepts the client id {client_id}",
    0x8A: "it has banned {user} or the client id {client_id}; lift that there",
    0x90: WILL,
    0x95: WILL,
    0x9A: "it keeps no retained messages, which penates cannot do without (Mosquitto: retain_available)",
    0x9B: "it takes QoS 0 only, and penates needs QoS 1 (Mosquitto: max_qos)",
    0x9C: MOVED,
    0x9D: MOVED,
}


def cure(code: int, options: ConnectOptions) -> str:
    """Return what to change so that the broker accepts a connection with these options."""
    if code in PASSING:
        return "it is asked again"
    user = f"the user {options.username}" if options.username else "clients without a user name"
    other = "3.1.1" if options.version_5 else "5"
    return CURES.get(code, "see the broker's log").format(other=other, client_id=options.client_id, user=user)
