"""A display as a process: what it says that it shows can be read from the bytes on its bus, whatever happens."""

import signal
import time
from pathlib import Path

import pytest

from bootstrap.display.bus_port import SimulatedBus
from bootstrap.display.picture import text_dots
from penates.display_picture import ShownDisplay
from support.displays import Hd44780, Oled, pixels
from support.world import Broker, Eyes, House, Running, Wires, eventually

ADDRESS = 0x27
SHOWN, STATE = "cm/lcd/data/shown", "cm/lcd/status/state"
PAGES = r"""pages = ["Cellar {cm/cellar/temperature:.1f}°C\n{cm/cellar!state} {=tele/tank#level:3d}", "second"]
page_s = 0
"""
BUTTON = 21
PATIENCE_S = 20.0


class Display:
    """A display of characters in a house, and its glass."""

    def __init__(self, wires: Wires, eyes: Eyes) -> None:
        self.wires, self.eyes = wires, eyes
        self.bus = SimulatedBus(1, wires.folder)
        self.bus.plug(ADDRESS)

    def run(self, more: str = PAGES, every_s: float = 60) -> Running:
        return self.wires.run("lcd", f'kind = "lcd"\naddress = {ADDRESS}\nevery_s = {every_s}\n{more}')

    @property
    def glass(self) -> Hd44780:
        return Hd44780(16, 2).take(self.bus.transfers(ADDRESS))

    def reads(self, *lines: str) -> None:
        """Until this can be read on the glass."""
        deadline = time.monotonic() + PATIENCE_S
        while self.glass.lines != [*lines]:
            assert time.monotonic() < deadline, f"{lines} on the glass: {self.glass.lines}"
            time.sleep(0.01)

    def shows(self, first: str, second: str | None = None, *, light: bool | None = None) -> None:
        """Until it says that it shows this; then it can be read on the glass."""

        def met() -> bool:
            said = [one.value for one in self.eyes.on(SHOWN)]
            lines = str(said[-1]).split("\n") if said else []
            return lines[:1] == [first] and second in (None, *lines[1:])

        eventually(met, f"it shows {first!r}, {second!r}: {[one.value for one in self.eyes.on(SHOWN)][-5:]}")
        lines = str(self.eyes.on(SHOWN)[-1].value).split("\n")
        self.reads(*lines)
        if light is not None:
            eventually(lambda: self.glass.lit == light, f"light {light}")


@pytest.fixture
def display(wires: Wires, eyes: Eyes) -> Display:
    return Display(wires, eyes)


def test_values_come_change_and_grow_old(display: Display, house: House, eyes: Eyes) -> None:
    display.run()
    display.shows("Cellar --°C", "-- --")
    house.thermometer(millidegrees=21_540, every_s=1)
    cellar = house.run()
    display.shows("Cellar 21.5°C", "online --")
    eyes.publish("tele/tank", b'{"level": 7}', retain=True)
    display.shows("Cellar 21.5°C", "online   7")
    house.probe("cellar", 22_000)
    display.shows("Cellar 22.0°C")
    house.probe("cellar", "broken")
    display.shows("Cellar ?22.0°C", "fault   7")  # older than three times its period
    house.probe("cellar", 23_000)
    display.shows("Cellar 23.0°C", "online   7")
    cellar.send(signal.SIGKILL)
    display.shows("Cellar ?23.0°C", "lost   7")


def test_without_a_broker_nothing_is_shown_as_if_it_were_new(
    display: Display, broker: Broker, house: House, eyes: Eyes
) -> None:
    house.thermometer(millidegrees=21_540, every_s=1)
    house.run()
    eyes.publish("tele/tank", b'{"level": 7}', retain=True)
    display.run()
    display.shows("Cellar 21.5°C", "online   7")
    broker.stop(signal.SIGKILL)  # else it publishes last wills
    display.reads("Cellar ?21.5°C", "?online ?  7")
    broker.start()
    display.reads("Cellar 21.5°C", "online   7")


def test_a_sender_that_stands_still_is_doubted(display: Display, house: House, broker: Broker) -> None:
    house.write(broker.port, top="heartbeat_s = 0.5")
    house.thermometer(millidegrees=21_540, every_s=0.5)
    cellar = house.run()
    display.run()
    display.shows("Cellar 21.5°C")
    cellar.send(signal.SIGSTOP)
    display.shows("Cellar ?21.5°C")
    cellar.send(signal.SIGCONT)
    display.shows("Cellar 21.5°C")


def test_a_topic_of_others_grows_old_when_its_owner_says_so(display: Display, eyes: Eyes) -> None:
    display.run('pages = ["{=tele/tank} {=plug/status/switch:0#output}"]\nsilent_s = 1\n')
    eyes.publish("tele/tank", b"7", retain=True)
    display.shows("7 --")
    display.shows("?7 --")
    eyes.publish("plug/status/switch:0", b'{"output":true}', retain=True)
    display.shows("?7 yes")
    display.shows("?7 ?yes")


def test_pages_are_turned_by_hand_and_by_time(display: Display, wires: Wires, eyes: Eyes) -> None:
    wires.line(BUTTON).drive(True)
    running = display.run('pages = ["one", "two", "three"]\npage_s = 0\nbutton = 21\n')
    display.shows("one")
    for page, shown in (("next", "two"), ("next", "three"), ("next", "one"), ("previous", "three"), ("2", "two")):
        assert eyes.ask("cm/lcd", "page", page)["result"] == "done"
        display.shows(shown)
    assert "there are 3 pages" in eyes.ask("cm/lcd", "page", "4")["reason"]
    assert eyes.ask("cm/lcd", "page", "sideways")["result"] == "refused"
    press(wires)
    display.shows("three")
    eyes.wait_value("cm/lcd/data/page", 3)
    running.stop()
    display.run('pages = ["one", "two"]\npage_s = 0.3\nhold_s = 60\n')
    display.shows("two")
    display.shows("one")
    assert eyes.ask("cm/lcd", "page", "2")["result"] == "done"
    display.shows("two")
    held = len(display.bus.transfers(ADDRESS))
    time.sleep(1)  # in which it would have turned three times
    assert len(display.bus.transfers(ADDRESS)) == held


def press(wires: Wires) -> None:
    wires.line(BUTTON).drive(False)
    time.sleep(0.1)  # as long as a finger, and longer than it bounces
    wires.line(BUTTON).drive(True)


def test_an_alert_comes_before_all_pages(display: Display, eyes: Eyes) -> None:
    rules = 'alerts = ["=tele/leak is true: Water!\\n{=tele/tank#level} cm", "=tele/frost below 3"]\n'
    display.run(f'pages = ["calm"]\nlit = "{elsewhen()}"\n{rules}')
    display.shows("calm", light=False)
    eyes.publish("tele/leak", b"true", retain=True)
    display.shows("Water!", "-- cm", light=True)
    eyes.wait_value("cm/lcd/data/alert", True)
    eyes.publish("tele/tank", b'{"level":12}', retain=True)
    display.shows("Water!", "12 cm")
    eyes.publish("tele/frost", b"2.5", retain=True)
    display.shows("! =tele", "frost 2.5")
    eyes.publish("tele/leak", b"false", retain=True)
    eyes.publish("tele/frost", b"3", retain=True)
    display.shows("calm", light=False)
    assert eyes.ask("cm/lcd", "alert", "The postman has rung twice")["result"] == "done"
    display.shows("The postman has", "rung twice", light=True)
    assert eyes.ask("cm/lcd", "alert", "off")["result"] == "done"
    display.shows("calm", light=False)
    assert eyes.ask("cm/lcd", "alert", '{"text": "short", "for_s": 0.5}')["result"] == "done"
    display.shows("short")
    display.shows("calm")
    for wrong in ("", "x" * 201, "42", '{"text": "a", "for_s": 0}', '{"words": "a"}'):
        assert eyes.ask("cm/lcd", "alert", wrong)["result"] == "refused", wrong


def elsewhen() -> str:
    """Hours of light that are not now."""
    hour = time.localtime().tm_hour
    return f"{(hour + 3) % 24:02}:00-{(hour + 5) % 24:02}:00"


def test_the_light_follows_commands_hours_and_the_button(display: Display, wires: Wires, eyes: Eyes) -> None:
    wires.line(BUTTON).drive(True)
    running = display.run(f'pages = ["one", "two"]\npage_s = 0\nbutton = 21\nlit = "{elsewhen()}"\nlight_s = 1\n')
    display.shows("one", light=False)
    press(wires)
    eyes.wait_value("cm/lcd/data/light", True)
    since = len(eyes.seen)
    display.shows("one")  # in the dark, the button only switches on the light
    eyes.wait_value("cm/lcd/data/light", False, since)
    for word, lit in (("on", True), ("auto", False), ("on", True), ("off", False)):
        assert eyes.ask("cm/lcd", "light", word)["result"] == "done"
        display.shows("one", light=lit)
    assert eyes.ask("cm/lcd", "light", '{"state": "on", "for_s": 0.3}')["result"] == "done"
    display.shows("one", light=False)
    assert eyes.ask("cm/lcd", "light", "on")["result"] == "done"
    running.stop()
    since = len(eyes.seen)
    display.run('pages = ["one"]\nlit = "00:00-00:01"\n')
    eyes.wait_value(SHOWN, "one\n", since)
    display.shows("one", light=True)  # as it was told before the restart


def test_a_display_is_unplugged_and_plugged_in_again(display: Display, eyes: Eyes) -> None:
    running = display.run(every_s=1)
    display.shows("Cellar --°C", "-- --")
    display.bus.plug(ADDRESS, plugged=False)
    eyes.wait_value(STATE, "fault")
    assert running.wait_log("0x27 on i2c-1: Remote I/O error")
    since = len(eyes.seen)
    eyes.publish("tele/tank", b'{"level": 7}', retain=True)
    display.bus.plug(ADDRESS)
    eyes.wait_value(STATE, "online", since)
    display.shows("Cellar --°C", "--   7")


def test_a_display_that_is_absent_at_the_start_is_waited_for(display: Display, eyes: Eyes) -> None:
    display.bus.plug(ADDRESS, plugged=False)
    display.run(every_s=1)
    eyes.wait_value(STATE, "fault")
    display.bus.plug(ADDRESS)
    display.shows("Cellar --°C", "-- --")


def test_many_values_at_once_are_few_writes(display: Display, eyes: Eyes) -> None:
    display.run()
    display.shows("Cellar --°C", "-- --")
    before = len(display.bus.transfers(ADDRESS))
    eyes.pour("tele/tank", [f'{{"level": {number}}}' for number in range(300)])
    display.shows("Cellar --°C", "-- 299")
    assert len(display.bus.transfers(ADDRESS)) - before < 60


@pytest.mark.parametrize(("driver", "columns"), [("ssd1306", 128), ("sh1106", 132)])
def test_a_graphic_display_shows_what_it_says(wires: Wires, eyes: Eyes, driver: str, columns: int) -> None:
    bus = SimulatedBus(1, wires.folder)
    bus.plug(0x3C)
    settings = 'size = "128x64"\naddress = 0x3C\npages = ["Küche {=tele/tank} cm\\n€ äöü"]\n'
    wires.run("lcd", f'kind = "lcd"\ndriver = "{driver}"\n{settings}')
    eyes.wait_value(SHOWN, "Küche -- cm\n€ äöü" + 6 * "\n")
    eyes.publish("tele/tank", b"42", retain=True)
    eyes.wait_value(SHOWN, "Küche 42 cm\n€ äöü" + 6 * "\n")
    glass = Oled(columns=columns).take(bus.transfers(0x3C))
    assert glass.dots == text_dots(["Küche 42 cm", "€ äöü"], 128, 64)
    assert glass.on
    (about,) = {str(one.value): one.value["display"] for one in eyes.on("cm/lcd/status/about")}.values()
    assert about == {"driver": driver, "size": "128x64", "scale": 1, "columns": 21, "rows": 8}


PICTURE = Path(__file__).parent / "lcd.png"


def test_its_picture_is_the_stored_one_and_what_is_on_the_glass(display: Display, tmp_path: Path) -> None:
    """Look at the picture before you store another one."""
    running = display.run('pages = ["Küche ↑ 21.5°C €\\nÄrger {cm/cellar/it} é"]\n')
    display.shows("Küche ↑ 21.5°C €", "Ärger -- é", light=True)
    file, house = tmp_path / "lcd.png", display.wires.house
    done = house.penates("lcd", "shot", "cm/lcd", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert pixels(file.read_bytes()) == pixels(PICTURE.read_bytes())
    facts = {"driver": "hd44780", "size": "16x2", "scale": 1}
    on_the_glass = ShownDisplay.of({"display": facts}, "\n".join(display.glass.lines), lit=display.glass.lit)
    assert pixels(on_the_glass.png()) == pixels(file.read_bytes())
    running.stop()
    done = house.penates("lcd", "shot", "cm/lcd", str(file))
    assert (done.returncode, done.stderr) == (0, "cm/lcd is stopped: this is what it showed last\n")
    done = house.penates("lcd", "shot", "cm/cellar", str(tmp_path / "none.png"))
    assert (done.returncode, done.stderr) == (
        1, "no picture of cm/cellar: it is no display, or has shown nothing yet\n",
    )  # fmt: skip
    assert not (tmp_path / "none.png").exists()


WRONG = {
    'pages = ["{cm/cellar"]': "line 1, character 1: a { without its other half",
    'pages = ["x"]\nsize = "128x64"': "'size' of hd44780 must be 16x2 or 20x4, not 128x64",
    'pages = ["x"]\ndriver = "sh1106"': "'size' of sh1106 must be 128x64 or 128x32",
    'pages = ["x"]\nlit = "7:00-22:00"': 'such as "07:00-22:30"',
    'pages = ["x"]\nalerts = ["leak"]': "it lacks a part",
    'pages = ["x"]\nscale = 9': "at most 4",
}


def test_wrong_settings_are_told_with_what_they_must_be(wires: Wires) -> None:
    for text, why in WRONG.items():
        wires.house.device("lcd", f'kind = "lcd"\naddress = {ADDRESS}\n{text}\n')
        done = wires.house.penates("check")
        assert done.returncode == 78
        assert why in done.stdout + done.stderr, done.stdout + done.stderr
