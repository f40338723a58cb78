"""What is written to a display's chip can be read on its glass, and is no more than has changed."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bootstrap.display.bus_port import SimulatedBus, bus_port
from bootstrap.display.character_panel import CharacterPanel
from bootstrap.display.characters import INSTEAD, ROMS
from bootstrap.display.glyphs import HEIGHT, glyphs
from bootstrap.display.graphic_panel import GraphicPanel
from bootstrap.display.panel import Panel
from bootstrap.display.picture import png, text_dots
from bootstrap.pins.device_pins import FACTORY
from bootstrap.pins.simulated_lines import LINES_VARIABLE
from support.displays import Hd44780, Oled, pixels

ADDRESS = 0x27
LINES = ["Küche 21.5°C", "Ärger: 3 € für é"]


class Glass:
    """A bus with one chip, and what was written since it was looked at last."""

    def __init__(self, folder: Path) -> None:
        self.bus = SimulatedBus(1, folder)
        self.bus.plug(ADDRESS)
        self.seen = 0

    def show(self, panel: Panel, lines: Sequence[str], *, lit: bool = True, anew: bool = False) -> list[bytes]:
        """Show lines, and return the transfers of that."""
        with self.bus as port:
            panel.show(port, panel.fitted(lines), lit=lit, anew=anew)
        transfers = self.bus.transfers(ADDRESS)
        new = [*transfers[self.seen :]]
        self.seen = len(transfers)
        return new


@pytest.fixture
def glass(tmp_path: Path) -> Glass:
    return Glass(tmp_path)


@pytest.mark.parametrize("rom", ROMS)
@pytest.mark.parametrize(("columns", "rows"), [(16, 2), (20, 4)])
def test_each_character_stands_where_it_should(glass: Glass, columns: int, rows: int, rom: str) -> None:
    panel, chip = CharacterPanel(ADDRESS, columns, rows, rom), Hd44780(columns, rows, rom)
    lines = [*LINES, "\\~{}" * 5, "4"][:rows]
    chip.take(glass.show(panel, lines))
    assert chip.lines == panel.fitted(lines) == [line[:columns].rstrip() for line in lines]
    assert chip.lit


def test_only_what_has_changed_is_written(glass: Glass) -> None:
    panel, chip = CharacterPanel(ADDRESS, 20, 4, "A00"), Hd44780(20, 4)
    chip.take(glass.show(panel, ["Cellar 21.5°C"]))
    assert glass.show(panel, ["Cellar 21.5°C"]) == []
    chip.characters = 0
    (transfer,) = glass.show(panel, ["Cellar 21.6°C"])
    chip.take([transfer])
    assert (chip.characters, chip.lines[0]) == (1, "Cellar 21.6°C")
    assert len(transfer) == 14  # an address and a character, each two halves of three bytes, and RS twice
    chip.take(glass.show(panel, ["Cellar 31.7°C"]))
    assert (chip.characters, chip.lines[0]) == (1 + 2, "Cellar 31.7°C")
    chip.take(glass.show(panel, ["Cellar 30.8°C"]))  # the point between costs less than an address
    assert (chip.characters, chip.lines[0]) == (1 + 2 + 3, "Cellar 30.8°C")
    assert glass.show(panel, ["Cellar 30.8°C"], lit=False) == [b"\0"]


def test_signs_of_its_own_are_drawn_as_long_as_there_is_room(glass: Glass) -> None:
    panel, chip = CharacterPanel(ADDRESS, 16, 2, "A00"), Hd44780(16, 2)
    for lines, wanted in (
        (["éèêë", "ÄÖÜ€"], ["éèêë", "ÄÖÜ€"]),
        (["ÄÖÜ€", "£ éè"], ["ÄÖÜ€", "£ éè"]),
        (["éèêëÄÖÜ€£", "åÉ"], ["éèêëÄÖÜ€GBP", "aaE"]),
        (["£åÉ", ""], ["£åÉ", ""]),
    ):
        chip.take(glass.show(panel, lines))
        assert chip.lines == wanted == panel.fitted(lines)


def test_what_no_display_can_show_is_written_as_most_people_would() -> None:
    panel = CharacterPanel(ADDRESS, 20, 4, "A00")
    assert panel.fitted(["„Ok“ – 5…6\u00a0µm", "ﬁne łódź", "日本 \x00\x7f", "x" * 50]) == [  # noqa: RUF001
        '"Ok" - 5...6 µm', "fine lódz", "__ __", "x" * 20,
    ]  # fmt: skip
    for sign, instead in INSTEAD.items():
        assert len(sign) == 1
        assert {*instead} <= {*glyphs()}, sign


def test_a_display_that_lost_half_a_byte_is_itself_again_after_the_next_whole_write(glass: Glass) -> None:
    panel, chip = CharacterPanel(ADDRESS, 16, 2, "A00"), Hd44780(16, 2)
    chip.take(glass.show(panel, LINES))
    chip.lose_a_half()
    chip.take(glass.show(panel, ["Other text", "€"]))
    assert chip.lines != ["Other text", "€"]
    chip.take(glass.show(panel, ["Other text", "€"], anew=True))
    assert chip.lines == ["Other text", "€"]


@pytest.mark.parametrize("panel", [CharacterPanel(ADDRESS, 16, 2, "A00"), GraphicPanel("ssd1306", ADDRESS, 128, 32, 1)])
def test_a_display_that_was_unplugged_is_written_as_a_whole(glass: Glass, panel: Panel) -> None:
    whole = glass.show(panel, LINES)
    glass.bus.plug(ADDRESS, plugged=False)
    with pytest.raises(OSError, match="0x27 on i2c-1: Remote I/O error"):
        glass.show(panel, ["gone"])
    glass.bus.plug(ADDRESS)
    glass.seen = 0
    assert glass.show(panel, LINES) == whole


CHIPS = {"ssd1306": 128, "sh1106": 132}
PICTURES = Path(__file__).parent / "pictures"


@pytest.mark.parametrize(("height", "scale"), [(64, 1), (64, 2), (32, 1)])
@pytest.mark.parametrize("name", CHIPS)
def test_the_dots_on_the_glass_are_those_of_the_text(glass: Glass, name: str, height: int, scale: int) -> None:
    panel, chip = GraphicPanel(name, ADDRESS, 128, height, scale), Oled(height=height, columns=CHIPS[name])
    lines = panel.fitted(["Küche 21.5°C", "Äpfel 3 €", "q|g", "4", "5", "6", "7", "last"])
    chip.take(glass.show(panel, lines))
    assert chip.dots == text_dots(lines, 128, height, scale)
    assert chip.on
    assert chip.charged
    assert chip.settings[0xA8] == (height - 1,)
    before = chip.written
    lines[0] = lines[0].replace("5", "6")
    chip.take(glass.show(panel, lines))
    assert chip.dots == text_dots(lines, 128, height, scale)
    assert chip.written - before < 20 * scale * scale
    assert glass.show(panel, lines) == []
    chip.take(glass.show(panel, lines, lit=False))
    assert not chip.on


def test_what_the_memory_held_before_is_never_seen(glass: Glass) -> None:
    panel, chip = GraphicPanel("ssd1306", ADDRESS, 128, 64, 1), Oled()
    for transfer in glass.show(panel, ["a"]):
        chip.take([transfer])
        assert not chip.on or chip.dots == text_dots(["a"], 128, 64)


def test_all_glyphs_are_as_in_the_stored_picture() -> None:
    """Look at the picture before you store another one."""
    signs = "".join(glyphs())
    dots = text_dots([signs[at : at + 21] for at in range(0, len(signs), 21)], 128, 64)
    drawn = png(dots, ((0, 0, 0), (255, 255, 255)), 4)
    assert pixels(drawn) == pixels((PICTURES / "glyphs.png").read_bytes())
    assert all(len(glyph) == HEIGHT for glyph in glyphs().values())


def test_where_lines_are_simulated_so_is_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FACTORY, "simulated")
    monkeypatch.setenv(LINES_VARIABLE, str(tmp_path))
    SimulatedBus(3, tmp_path).plug(ADDRESS)
    with bus_port(3) as port:
        port.write(ADDRESS, b"ab", b"c")
    assert SimulatedBus(3, tmp_path).transfers(ADDRESS) == [b"ab", b"c"]
    monkeypatch.delenv(FACTORY)
    with pytest.raises(FileNotFoundError, match="i2c-255"), bus_port(255):
        pass
