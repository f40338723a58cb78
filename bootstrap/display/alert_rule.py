"""When a display shows an alert by itself: `home/cellar/leak is true: Water in the cellar`."""

import re
from dataclasses import dataclass
from functools import cached_property

from bootstrap.contract.payload import Json, as_text, parse_number
from bootstrap.display.template import DisplayText, TextField
from bootstrap.needs import Listened, Need, TextSetting

RULE = re.compile(
    r"(?P<what>\S+) +(?P<how>is not|is|above|below) +(?P<limit>[^:\n]+?)(?: *: +(?P<text>.+))?", re.DOTALL
)


@dataclass(frozen=True)
class AlertRule(TextSetting):
    """A measure, what it must be, and the text then. ValueError: it is none."""

    def __post_init__(self) -> None:
        try:
            self._check()
        except ValueError as error:
            example = '"home/cellar/leak is true: Water in the cellar", with is, is not, above or below'
            raise ValueError(f"alerts such as {example} (of {self.text!r}: {error})") from None

    def _check(self) -> None:
        if self._ordered and parse_number(self._found["limit"]) is None:
            raise ValueError(f"{self._found['limit']!r} is not a number")
        if self.field.fact or self.field.form:
            raise ValueError("before is, above or below stands a measure, without braces and form")
        self.shown  # noqa: B018 - it is parsed, and then kept

    def needs(self) -> list[Need]:
        """Return the topics that must be listened to."""
        return [Listened(self.field.topic), *self.shown.needs()]

    @cached_property
    def _found(self) -> re.Match[str]:
        found = RULE.fullmatch(self.text.strip())
        if found is None:
            raise ValueError("it lacks a part")
        return found

    @property
    def _ordered(self) -> bool:
        return self._found["how"] in ("above", "below")

    @cached_property
    def field(self) -> TextField:
        """Whose value decides."""
        return TextField.of(self._found["what"])

    @cached_property
    def shown(self) -> DisplayText:
        """The text that is shown: if none is set, sensor, measure and value."""
        sensor, _, measure = self._found["what"].rpartition("/")
        return DisplayText(self._found["text"] or f"! {sensor}\n{measure} {{{self._found['what']}}}")

    def holds(self, value: Json) -> bool:
        """Return whether a value calls for the alert; None, where nothing was heard, does not."""
        if value is None:
            return False
        limit, how = self._found["limit"], self._found["how"]
        number, bound = _number(value), _number(limit)
        if not self._ordered:
            same = as_text(value) == limit or (number is not None and number == bound)
            return same == (how == "is")
        if number is None or bound is None:
            return False
        return number > bound if how == "above" else number < bound


def _number(value: Json) -> float | None:
    """Return a value as a number, or None if it is none; true and false are not."""
    if isinstance(value, bool):
        return None
    try:
        return parse_number(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
