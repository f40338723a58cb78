"""Settings that are put into a TOML file that somebody may have edited."""

import pytest

from penates.files.toml_edit import with_settings


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({("", "state"): "/x"}, 'group = "a"\nstate = "/x"\n\n[broker]\n# host = "localhost"\nport = 1\n'),
        ({("broker", "host"): ["a", "b"]}, 'group = "a"\n# state = "s"\n\n[broker]\nhost = ["a", "b"]\nport = 1\n'),
        ({("broker", "port"): 2}, 'group = "a"\n# state = "s"\n\n[broker]\n# host = "localhost"\nport = 2\n'),
        (
            {("broker", "user"): "u"},
            'group = "a"\n# state = "s"\n\n[broker]\n# host = "localhost"\nport = 1\nuser = "u"\n',
        ),
        (
            {("log", "x"): True},
            'group = "a"\n# state = "s"\n\n[broker]\n# host = "localhost"\nport = 1\n\n[log]\nx = true\n',
        ),
        (
            {("broker", "port"): None, ("log", "x"): None},
            'group = "a"\n# state = "s"\n\n[broker]\n# host = "localhost"\n# port = 1\n',
        ),
        ({("", "new"): 1.5}, 'group = "a"\n# state = "s"\nnew = 1.5\n\n[broker]\n# host = "localhost"\nport = 1\n'),
    ],
)
def test_settings_are_put_where_they_belong(given: dict[tuple[str, str], object], text: str) -> None:
    before = 'group = "a"\n# state = "s"\n\n[broker]\n# host = "localhost"\nport = 1\n'
    assert with_settings(before, given) == text


def test_a_setting_of_several_rows_is_one() -> None:
    before = '[broker]\nhost = [\n  "a",\n  "b",\n]\nport = 1\n'
    assert with_settings(before, {("broker", "host"): "z"}) == '[broker]\nhost = "z"\nport = 1\n'
    unsaid = with_settings(before, {("broker", "host"): None})
    assert unsaid == '[broker]\n# host = [\n#   "a",\n#   "b",\n# ]\nport = 1\n'
