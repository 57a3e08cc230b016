"""On which line each key of a TOML document stands: tomllib gives the values, but not their places.

The document was parsed before it comes here, so it is known to be valid and this needs no grammar, only
enough of the tokens not to mistake a bracket within a string for a table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str, ...]

# Every repetition is possessive (`*+`, `++`): the time is proportional to the text, whatever it holds.
_TOKEN = re.compile(
    r'''
      (?P<string>
          """(?:[^"\\]++|\\.|"(?!""))*+"""(?:"{0,2})
        | \'\'\'(?:[^']++|'(?!\'\'))*+\'\'\'(?:'{0,2})
        | "(?:[^"\\\n]++|\\.)*+"
        | '[^'\n]*+'
      )
    | (?P<newline>\n)
    | (?P<mark>[\[\]{}=,.])
    | (?P<skip>[ \t]++|\#[^\n]*+)
    | (?P<bare>[^\s\[\]{}=,."'\#]++)
    ''',
    re.VERBOSE | re.DOTALL,
)


def lines_of_keys(text: str) -> Mapping[Path, int]:
    """The line of every table and key of a valid document with `\\n` line ends, by path.

    A table that is only mentioned on the way (`tool` in `[tool.pytest]`) has the line of the first mention.
    The keys of inline tables within an array have no path and are left out.
    """
    finder = _Finder()
    for token in _tokens(text):
        finder.take(*token)
    return {**finder.mentioned, **finder.stated}


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """The kind, the text and the line of each."""
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "skip":
            yield kind, match[0], line
        if kind in ("newline", "string"):
            line += match[0].count("\n")


class _Finder:
    """Follows the tokens of a document and notes where a key ends in `=` or a header in `]`."""

    def __init__(self) -> None:
        self.stated: dict[Path, int] = {}
        self.mentioned: dict[Path, int] = {}
        self._table: Path = ()
        self._key: Path | None = None
        self._parts: list[str] = []
        self._in_header = False
        self._in_value = False
        self._enclosing: list[tuple[str, Path | None]] = []
        """The arrays and inline tables that are open, each with its path: None within an array."""

    def take(self, kind: str, text: str, line: int) -> None:
        if self._in_value:
            self._take_in_value(kind, text)
        elif kind in ("string", "bare"):
            self._parts.append(_unquoted(text))
        elif self._in_header:
            self._take_in_header(kind, text, line)
        elif kind == "mark":
            self._take_before_value(text, line)

    def _take_in_header(self, kind: str, text: str, line: int) -> None:
        # The second `[` of `[[` and the second `]` come with no parts, and change nothing.
        if text == "]" and self._parts:
            self._table = tuple(self._parts)
            self._note(self._table, line)
        elif kind == "newline":
            self._in_header = False

    def _take_before_value(self, text: str, line: int) -> None:
        """A mark where a key may stand: in a table's body, or between the braces of an inline table."""
        if text == "[":
            self._in_header = True
        elif text == "}":
            self._enclosing.pop()
            self._in_value = True
        elif text == "=":
            base = self._enclosing[-1][1] if self._enclosing else self._table
            key = None if base is None else (*base, *self._parts)
            if key is not None:
                self._note(key, line)
            self._key = key
            self._parts.clear()
            self._in_value = True

    def _take_in_value(self, kind: str, text: str) -> None:
        if kind == "newline":
            # Within an array a value goes on; at the end of a statement it is over.
            self._in_value = bool(self._enclosing)
        elif text == "[":
            self._enclosing.append(("[", None))
        elif text == "{":
            within_array = bool(self._enclosing) and self._enclosing[-1][0] == "["
            self._enclosing.append(("{", None if within_array else self._key))
            self._in_value = False
        elif text in ("]", "}"):
            self._enclosing.pop()
        elif text == ",":
            # In an inline table the next key follows, in an array the next value.
            self._in_value = self._enclosing[-1][0] == "["

    def _note(self, path: Path, line: int) -> None:
        self.stated.setdefault(path, line)
        for length in range(1, len(path)):
            self.mentioned.setdefault(path[:length], line)
        self._parts.clear()


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1]
    if text[0] != '"':
        return text
    if "\\" not in text:
        return text[1:-1]
    import tomllib

    return str(tomllib.loads(f"key = {text}")["key"])
