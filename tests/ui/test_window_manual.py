"""The manual's list of keys is the table's own."""

from __future__ import annotations

from workstation.app.resources import resource
from workstation.ui.key_page import key_page


def test_the_list_of_keys_is_what_the_window_does() -> None:
    written = resource("manual", "keys.md").read_text(encoding="utf-8")
    assert written == key_page(), "write it anew: python -m workstation.ui.key_page > resources/manual/keys.md"
