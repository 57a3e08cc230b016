"""The files that may configure pytest: what stands in each, and whether pytest takes it.

A reading is raw: it says what the file holds whether or not pytest ever looks at it, so that a rule can
speak of a section that pytest ignores.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from flake8_async_tests.project.ini import IniError, parse_ini
from flake8_async_tests.project.settings import Setting, setting_from_text, setting_from_toml
from flake8_async_tests.record import NOTHING_BY_NAME, unique_record

if TYPE_CHECKING:
    from flake8_async_tests.project.files import Files

CANDIDATE_NAMES = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
"""In the order in which pytest 9 looks; the first that configures pytest wins, and nothing is merged."""

# tomllib takes time quadratic in the parts of a dotted key; nobody writes a key like that.
_MOST_DOTS_IN_A_LINE = 2000

# tomllib takes up to ten seconds for each further one; nobody writes a configuration like that.
_MOST_BYTES = 1024 * 1024

# What says which packages are developed together.
_UV = ("tool", "uv")

_Table = Mapping[str, object]
_Path = tuple[str, ...]


@unique_record
class Section:
    """A section of an ini file or a table of a TOML file."""

    name: str
    line: int
    options: Mapping[str, Setting]
    native: bool = False
    """Whether pytest 9 reads it with TOML's own types."""


@unique_record
class RawConfig:
    """What one file says, and which section of it pytest would take."""

    path: str
    sections: Mapping[str, Section] = NOTHING_BY_NAME
    """By name, as between the brackets. Of a TOML file: its top-level tables, those of `tool`, and those of
    pytest's own table and uv's. A quoted name is bare here (`tool:pytest`), unless it holds a dot or a quote."""
    configuration: Section | None = None
    """The section that configures pytest, if any: in an empty pytest.ini an empty one, as pytest has it."""
    error: str | None = None
    """Why pytest stops with an error at this file, else None."""

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def kind(self) -> str:
        return "toml" if self.path.endswith(".toml") else "ini"


def read_candidate(files: Files, path: str) -> RawConfig | None:
    """What the file of that path says; None where there is no regular file, which pytest passes over."""
    content = files.read(path)
    if content is None:
        return RawConfig(path, error="cannot be read") if files.is_file(path) else None
    if len(content) > _MOST_BYTES:
        return RawConfig(path, error="is too large to be read")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return RawConfig(path, error="is not UTF-8")
    return _read_toml(path, text) if path.endswith(".toml") else _read_ini(path, text)


def _read_ini(path: str, text: str) -> RawConfig:
    try:
        parsed = parse_ini(text)
    except IniError as error:
        return RawConfig(path, error=str(error))
    sections = {
        name: Section(
            name,
            section.line,
            {key: setting_from_text(key, option.value, path, option.line) for key, option in section.options.items()},
        )
        for name, section in parsed.items()
    }
    name = os.path.basename(path)
    if name == "setup.cfg":
        configuration = sections.get("tool:pytest")
        if configuration is None and "pytest" in sections:
            return RawConfig(path, sections, error="[pytest] in setup.cfg is an error, it must be [tool:pytest]")
    else:
        configuration = sections.get("pytest")
        if configuration is None and name != "tox.ini":
            # A file of this name configures pytest even when it is empty.
            configuration = Section("pytest", 1, {})
    return RawConfig(path, sections, configuration)


def _read_toml(path: str, text: str) -> RawConfig:
    # Imported here: a project without TOML need not wait for it.
    import tomllib

    from flake8_async_tests.project.toml_lines import lines_of_keys

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if max(line.count(".") for line in text.split("\n")) > _MOST_DOTS_IN_A_LINE:
        return RawConfig(path, error="is too deep to be read")
    try:
        # A number that is written in hexadecimal digits may be too long for Python to write it in decimal ones.
        return _TomlReader(path, tomllib.loads(text), lines_of_keys(text)).read()
    except RecursionError:
        return RawConfig(path, error="is too deep to be read")
    except ValueError as error:
        return RawConfig(path, error=str(error))


class _TomlReader:
    """Takes the tables of interest out of a TOML document."""

    def __init__(self, path: str, document: _Table, lines: Mapping[_Path, int]) -> None:
        self._path = path
        self._document = document
        self._lines = lines
        self._dedicated = os.path.basename(path) != "pyproject.toml"

    def read(self) -> RawConfig:
        sections = [self._section(keys, table) for keys, table in self._tables()]
        configuration, error = self._dedicated_table() if self._dedicated else self._tool_table()
        return RawConfig(self._path, {section.name: section for section in sections}, configuration, error)

    def _tables(self) -> Iterator[tuple[_Path, _Table]]:
        pytest_table = ("pytest",) if self._dedicated else ("tool", "pytest")
        for name, table in _tables_in(self._document):
            yield (name,), table
            if name in ("tool", pytest_table[0]):
                for inner, inner_table in _tables_in(table):
                    yield (name, inner), inner_table
                    if (name, inner) in (pytest_table, _UV):
                        for innermost, innermost_table in _tables_in(inner_table):
                            yield (name, inner, innermost), innermost_table

    def _section(self, keys: _Path, table: _Table) -> Section:
        native = keys == (("pytest",) if self._dedicated else ("tool", "pytest"))
        options = {
            key: setting_from_toml(key, value, self._path, self._line((*keys, key)), native=native)
            for key, value in table.items()
        }
        return Section(_dotted(keys), self._line(keys), options, native)

    def _line(self, keys: _Path) -> int:
        """The line of a key, else that of the nearest table around it."""
        while keys:
            if keys in self._lines:
                return self._lines[keys]
            keys = keys[:-1]
        return 1

    def _dedicated_table(self) -> tuple[Section | None, str | None]:
        """What pytest takes from pytest.toml: its `[pytest]`, or nothing at all, but nothing else."""
        if "pytest" in self._document:
            table = self._document["pytest"]
            if isinstance(table, dict):
                return self._section(("pytest",), table), None
            return None, "pytest is not a table"
        strays = [name for name, value in self._document.items() if not isinstance(value, dict)]
        if strays:
            return None, f"{', '.join(strays)} must stand under [pytest]"
        return Section("pytest", 1, {}, native=True), None

    def _tool_table(self) -> tuple[Section | None, str | None]:
        """What pytest takes from pyproject.toml: `[tool.pytest]` or its `ini_options`, but not both.

        Tables that something else keeps below `[tool.pytest]` are none of its options. Up to pytest 8 they disturb
        nobody, and since pytest 9 refuses them beside `ini_options`, it must be an older one that reads these.
        """
        tool = self._document.get("tool", {})
        if not isinstance(tool, dict):
            return None, "tool is not a table"
        table = tool.get("pytest", {})
        if not isinstance(table, dict):
            return None, "tool.pytest is not a table"
        native = {key: value for key, value in table.items() if key != "ini_options"}
        ini_options = table.get("ini_options")
        if ini_options and not all(isinstance(value, dict) for value in native.values()):
            return None, "has both [tool.pytest] and [tool.pytest.ini_options]"
        if native and not ini_options:
            return self._section(("tool", "pytest"), native), None
        if ini_options is None:
            return None, None
        if not isinstance(ini_options, dict):
            return None, "tool.pytest.ini_options is not a table"
        return self._section(("tool", "pytest", "ini_options"), ini_options), None


def _tables_in(table: _Table) -> Iterator[tuple[str, _Table]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield name, value


def _dotted(keys: _Path) -> str:
    # A quoted "tool.pytest" is one key and another table than tool.pytest.
    return ".".join(f'"{key}"' if "." in key or '"' in key else key for key in keys)
