"""The demo's picture: each line once for as long as it stays, the last frame for whoever asks for less motion."""

import re
from xml.etree import ElementTree as ET

from penates.demo.animation import Animation
from penates.demo.screen import Caption, Scene
from penates.fleet.fleet_view import FleetView

HIDDEN = re.compile(r"<g([^>]*) transform[^>]*>(.*?)</g>")


def test_each_line_is_drawn_once_and_the_last_frame_is_a_picture_by_itself() -> None:
    animation = Animation()
    scene = Scene(FleetView())
    scene.view.receive("cm/cellar/status/state", b"online", retained=False)
    for second in range(6):
        scene.second = float(second)
        if second == 3:
            scene.captions.append(Caption(3.0, "<Somebody> rings & waits."))
        animation.add(scene)
    animation.end(["⣀⠉ chart", "\x1b[1;32mlost 0\x1b[0m"])
    drawn = animation.svg()
    ET.fromstring(drawn)
    assert drawn.count("&lt;Somebody&gt; rings &amp; waits.") == 1
    assert drawn.count(">penates demo<") == 7  # beside its seconds, and as the title
    shown = [text for names, text in HIDDEN.findall(drawn) if " h " not in names]
    assert len(shown) == 2
    assert "chart" in shown[0]
    assert shown[0].count("h0") == 4, "a dot for each of Braille's"
    assert 'class="g b"' in shown[1]
    moves = drawn[drawn.index("@media (prefers-reduced-motion:no-preference)") :]
    assert "animation:13.5s step-end infinite" in moves
    assert "animation" not in drawn[: -len(moves)]
    assert "prefers-color-scheme:dark" in drawn
