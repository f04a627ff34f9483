"""Text from outside, made harmless for people's eyes: a terminal obeys nothing in it, and all of it shows.

Inventories, clusters, endpoints and run directories are other people's text. It is kept as it came; whatever shows it
(reports, the terminal, progress) does so through these.
"""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """One line in which control and format characters (ANSI sequences, direction marks) show as escapes."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def visible_lines(text: str, indent: str = "") -> str:
    """The same, but for the ends of lines; every line but the first begins with ``indent``."""
    return f"\n{indent}".join(visible(line) for line in text.split("\n"))


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\r\n\t" or category == "Zs":
        return " "
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
    return char
