"""One option of a configuration file: its text, its words, and where it stands."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["text", "boolean", "number", "list", "table", "other"]
"""What stands in the file; in an ini file everything is text."""

_ARGS, _LINES, _BOOLEAN, _STRING = "args", "lines", "boolean", "string"

# How pytest and its plugins declare the options that matter here. Of any other option nothing is demanded.
_DECLARED = {
    "addopts": _ARGS,
    "norecursedirs": _ARGS,
    "python_classes": _ARGS,
    "python_files": _ARGS,
    "python_functions": _ARGS,
    "pythonpath": _ARGS,
    "required_plugins": _ARGS,
    "testpaths": _ARGS,
    "usefixtures": _ARGS,
    "filterwarnings": _LINES,
    "markers": _LINES,
    "asyncio_debug": _BOOLEAN,
    "strict": _BOOLEAN,
    "strict_config": _BOOLEAN,
    "strict_markers": _BOOLEAN,
    "strict_xfail": _BOOLEAN,
    "trio_mode": _BOOLEAN,
    "xfail_strict": _BOOLEAN,
    "anyio_mode": _STRING,
    "asyncio_default_fixture_loop_scope": _STRING,
    "asyncio_default_test_loop_scope": _STRING,
    "asyncio_mode": _STRING,
}

LIST_OPTIONS = tuple(name for name, declared in _DECLARED.items() if declared in (_ARGS, _LINES))
"""The options that every run of pytest reads as lists: a fault in one of them ends the run."""

# shlex takes time quadratic in the length of a word; nobody writes options like that.
_MOST_CHARACTERS = 50_000

_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


@record
class Setting:
    """An option with its value and the place that decided it."""

    name: str
    value: str
    """The text as pytest takes it; a list is joined with newlines, a TOML boolean is `true` or `false`."""
    values: tuple[str, ...]
    """The words of an option that pytest splits, the items of a list; else the value alone."""
    path: str
    line: int
    """Where the name stands; for what addopts decides, where addopts stands."""
    via: str = ""
    """`addopts` when an option of the command line decided, as written in addopts."""
    kind: Kind = "text"
    native: bool = False
    """Whether it stands in `[tool.pytest]` or pytest.toml, where pytest 9 insists on the right TOML type."""
    fault: str = ""
    """Why pytest refuses to read it: an unclosed quote, or the wrong TOML type."""

    @property
    def truth(self) -> bool | None:
        """The value as pytest reads a boolean, or None where it is none and pytest stops."""
        word = self.value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None


def setting_from_text(name: str, text: str, path: str, line: int, via: str = "") -> Setting:
    """An option of an ini file, or one given with `-o`."""
    words, fault = _split(name, text)
    return Setting(name, text, words, path, line, via, fault=fault)


def setting_from_toml(name: str, value: object, path: str, line: int, *, native: bool) -> Setting:
    """An option of a TOML table: pytest's native one, or `ini_options`, which stand for an ini file."""
    kind = _kind_of(value)
    if isinstance(value, list):
        words, fault = tuple(map(str, value)), ""
        text = "\n".join(words)
    else:
        # A table has no text of its own: it may be large, and nothing reads it.
        text = "" if kind == "table" else str(value).lower() if kind == "boolean" else str(value)
        words, fault = _alone(text) if native else _split(name, text)
    if native or kind == "list":
        fault = _type_fault(name, value, native=native)
    return Setting(name, text, words, path, line, kind=kind, native=native, fault=fault)


def _alone(text: str) -> tuple[tuple[str, ...], str]:
    return ((text,) if text else ()), ""


def _split(name: str, text: str) -> tuple[tuple[str, ...], str]:
    """The words of an option's text and what is wrong with them."""
    declared = _DECLARED.get(name)
    if declared == _ARGS:
        if len(text) > _MOST_CHARACTERS:
            return (), f"{name} is too long to be read"
        try:
            return tuple(shlex.split(text)), ""
        except ValueError as error:
            return (), f"{name} cannot be split into words: {error}"
    if declared == _LINES:
        return tuple(line.strip() for line in text.split("\n") if line.strip()), ""
    return _alone(text)


def _type_fault(name: str, value: object, *, native: bool) -> str:
    declared = _DECLARED.get(name)
    if declared in (_ARGS, _LINES):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return f"{name} must be a list of strings"
    elif declared == _BOOLEAN and native and not isinstance(value, bool):
        return f"{name} must be a TOML boolean"
    elif declared == _STRING and not isinstance(value, str):
        return f"{name} must be a string"
    return ""


def _kind_of(value: object) -> Kind:
    kinds: Mapping[type, Kind] = {
        str: "text",
        bool: "boolean",
        int: "number",
        float: "number",
        list: "list",
        dict: "table",
    }
    return kinds.get(type(value), "other")
