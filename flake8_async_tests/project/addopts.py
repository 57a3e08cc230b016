"""The options in `addopts` that decide who runs a test, if it is run: modes, overrides, plugins, what is left out.

Only what counts there is read. pytest finds its configuration before it reads addopts, so `--rootdir` and
`-c` in it change nothing and are passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flake8_async_tests.record import NOTHING_BY_NAME, unique_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# `-xvo name=value` is `-x -v -o name=value`; these letters take no value of their own.
_SHORT_OVERRIDE = r"(?s)-[hlqsvVx]*o=?(.*)"

_STRICT_FLAGS = {
    "--strict": "strict",
    "--strict-config": "strict_config",
    "--strict-markers": "strict_markers",
}

_MODE_FLAGS = ("--asyncio-mode", "--anyio-mode")


@unique_record
class Addopts:
    """What the words of addopts decide."""

    modes: Mapping[str, str] = NOTHING_BY_NAME
    """The last value of `--asyncio-mode` and `--anyio-mode`, by flag."""
    overrides: Mapping[str, str] = NOTHING_BY_NAME
    """The options that `-o` sets, the later one winning."""
    disabled_plugins: frozenset[str] = frozenset()
    """What `-p no:name` blocks and no later `-p name` frees, under both names that pytest blocks."""
    early_plugins: tuple[str, ...] = ()
    """What `-p name` loads, in order."""
    autoload_disabled: bool = False
    ignored: tuple[str, ...] = ()
    """What `--ignore` names."""
    ignored_globs: tuple[str, ...] = ()
    fault: str = ""
    """Why pytest stops at these words, or why they do not tell everything."""


def read_addopts(words: Sequence[str]) -> Addopts:
    """Read the words of addopts as pytest's argument parser does."""
    reader = _Reader(words)
    reader.read_flags()
    disabled, early = _plugins(words)
    return Addopts(
        reader.modes,
        reader.overrides,
        disabled,
        early,
        "--disable-plugin-autoload" in words,
        tuple(reader.ignored["--ignore"]),
        tuple(reader.ignored["--ignore-glob"]),
        reader.fault,
    )


class _Reader:
    def __init__(self, words: Sequence[str]) -> None:
        self.modes: dict[str, str] = {}
        self.overrides: dict[str, str] = {}
        self.ignored: dict[str, list[str]] = {"--ignore": [], "--ignore-glob": []}
        self.fault = ""
        self._words = words
        self._next = 0

    def read_flags(self) -> None:
        while self._next < len(self._words):
            word = self._words[self._next]
            self._next += 1
            if word == "--":
                # What follows are files.
                break
            self._read(word)
        if any(word.startswith("@") for word in self._words):
            self.fault = "addopts takes further options from a file"

    def _read(self, word: str) -> None:
        flag, equals, value = word.partition("=")
        if word in _STRICT_FLAGS:
            self.overrides[_STRICT_FLAGS[word]] = "true"
        elif flag in _MODE_FLAGS:
            self.modes[flag] = value if equals else self._value_of(flag)
        elif flag in self.ignored:
            self.ignored[flag].append(value if equals else self._value_of(flag))
        elif flag == "--override-ini":
            self._override(value if equals else self._value_of(flag))
        elif word == "-p":
            self._value_of(flag)
        elif short := re.fullmatch(_SHORT_OVERRIDE, word):
            self._override(short[1] or self._value_of("-o"))

    def _override(self, assignment: str) -> None:
        name, equals, value = assignment.partition("=")
        if equals:
            self.overrides[name] = value
        else:
            self.fault = self.fault or "-o in addopts wants name=value"

    def _value_of(self, flag: str) -> str:
        """The word after a flag, which may not look like a flag itself."""
        if self._next < len(self._words):
            word = self._words[self._next]
            if not word.startswith("-") or word == "-":
                self._next += 1
                return word
        self.fault = f"{flag} in addopts has no value"
        return ""


def _plugins(words: Sequence[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The plugins blocked and the plugins loaded.

    pytest looks for `-p` before it parses anything else, and word by word: it does not see one within `-xp`.
    """
    blocked: set[str] = set()
    early: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if not word.startswith("-p"):
            continue
        argument = (next(remaining, "") if word == "-p" else word[2:]).strip()
        name = argument.removeprefix("no:")
        both_names = {name, name if name.startswith("pytest_") else f"pytest_{name}"}
        if argument.startswith("no:"):
            blocked |= both_names
        elif name:
            blocked -= both_names
            early.append(name)
    return frozenset(blocked), tuple(early)
