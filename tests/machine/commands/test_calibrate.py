"""`penates calibrate` in the installed house: root's file is written, and the sensor's own unit is reloaded."""

from support.machine import Machine


def test_the_unit_of_a_calibrated_sensor_is_reloaded(installed: Machine) -> None:
    sheet = 'kind = "thermometer"\nserial = "28-0316a2795fff"\n'
    installed.write("etc/penates/devices/cellar.toml", sheet)
    installed.penates("install")
    installed.calls()
    said = installed.penates("calibrate", "cellar", "--point", "0.3=0", "--point", "99.1=100")
    assert "[temperature] is calibrated by 2 points" in said
    file = installed.file("etc/penates/devices/cellar.toml")
    assert file.read_text().endswith("calibrate = { points = [[0.3, 0.0], [99.1, 100.0]] }\n")
    assert [call for call in installed.calls() if "cellar" in call] == ["reload penates@cellar.service"]
    installed.penates("calibrate", "cellar", "--undo")
    assert file.read_text() == sheet
    assert [call for call in installed.calls() if "cellar" in call] == ["reload penates@cellar.service"]
