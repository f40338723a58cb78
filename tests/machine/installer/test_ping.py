"""The kernel lets the sensors' group ask hosts by ICMP as long as a sensor does that."""

from support.machine import Machine

FILE = "/etc/sysctl.d/60-penates-ping.conf"


def test_asking_by_icmp_is_allowed_as_long_as_a_sensor_does(installed: Machine) -> None:
    assert FILE not in installed.files()
    device = "/etc/penates/devices/router.toml"
    installed.write(device, 'kind = "ping"\nhost = "127.0.0.1"\nby = "tcp:80"\n')
    installed.penates("install")
    assert FILE not in installed.files()
    installed.calls()
    installed.write(device, 'kind = "ping"\nhost = "127.0.0.1"\n')
    installed.penates("install")
    assert "\nnet.ipv4.ping_group_range = 0 2147483647\n" in installed.file(FILE).read_text()
    assert "restart systemd-sysctl.service" in installed.calls()
    assert installed.penates("install").startswith("nothing to do")
    installed.penates("uninstall")
    assert FILE not in installed.files()
