"""The folder of a suite: its files, pytest's configuration, the conftest chain and what imports mean, read afresh."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.mutation.source import Source

if TYPE_CHECKING:
    from pathlib import Path

# In the order in which pytest looks for them.
CONFIGURATION_FILES = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)

_NOT_OF_THE_SUITE = {"node_modules", "site-packages", "__pycache__", "build", "dist"}

# Words that tell of somebody else who may run async tests, or of a mode that no configuration file shows.
_OTHER_RUNNERS = re.compile(
    r"pytest[-_](trio|tornas|tornado|twisted|aiohttp|sanic|curio|anyio|asyncio[-_]coop|aio|asyncio[-_]run)|alt[-_]pytest|"
    r"tornado|asyncio[-_]mode|no:asyncio"
)
_RUNNING_HOOKS = re.compile(
    r"pytest_(pycollect_makeitem|pyfunc_call|collection_modifyitems|configure|load_initial|cmdline_main|addoption|plugins|"
    r"fixture_setup|itemcollected|generate_tests|runtest)|import \*|asyncio[-_]mode"
)
_MARKING_HOOKS = re.compile(
    r"pytest_(pycollect_makeitem|collection_modifyitems|itemcollected|generate_tests|plugins)|import \*"
)
_TEST_LIBRARY = re.compile(r"(?m)^\s*(import|from)\s+(pytest|pytest_asyncio|unittest|mock)\b")
_FILES_WITH_REQUIREMENTS = ("*.toml", "*.cfg", "*.ini", "*.txt", "setup.py", "noxfile.py", "Makefile", "justfile")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What pytest takes from its configuration file; `known` is False where that is more than plain words."""

    path: Path | None = None
    options: dict[str, str] = field(default_factory=dict)
    known: bool = True

    @property
    def asyncio_mode(self) -> str:
        """auto, strict, or "" where it cannot be told."""
        if not self.known:
            return ""
        given = re.search(r"asyncio[-_]mode[= ]?(\w*)", self.options.get("addopts", ""))
        mode = given[1] if given else self.options.get("asyncio_mode", "strict")
        return mode if mode in ("auto", "strict") else ""

    def ignores(self, path: Path) -> bool:
        """Whether `--ignore` leaves a file out."""
        root = self.path.parent if self.path is not None else path
        ignored = re.findall(r"--ignore[= ](\S+)", self.options.get("addopts", ""))
        return any(root / each in (path, *path.parents) for each in ignored)


class Suite:
    """One package with its tests."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._texts: dict[Path, str | None] = {}
        self._sources: dict[Path, Source | None] = {}
        self._configurations: dict[Path, Configuration] = {}
        self._modules: dict[tuple[Path, str], Path | None] = {}
        self._doubts: dict[Path, str] = {}
        self._anyio: dict[Path, bool] = {}
        self._places: dict[Path | None, Path | None] = {}

    @property
    def name(self) -> str:
        return self.root.name

    # -- files --------------------------------------------------------------------------------------------------------

    @cached_property
    def python_files(self) -> list[Path]:
        return [
            path
            for path in sorted(self.root.rglob("*.py"))
            if _NOT_OF_THE_SUITE.isdisjoint(path.relative_to(self.root).parts)
            and not any(part.startswith(".") for part in path.relative_to(self.root).parts)
            and path.is_file()
        ]

    @cached_property
    def test_files(self) -> list[Path]:
        """The files that pytest takes for tests, and the conftest.py files."""
        return [path for path in self.python_files if path.name == "conftest.py" or self.is_test_file(path)]

    @cached_property
    def _speaking_files(self) -> list[Path]:
        """All of which any rule may speak: beside the tests, what imports a library for tests."""
        tests = set(self.test_files)
        return [path for path in self.python_files if path in tests or _TEST_LIBRARY.search(self.text(path) or "")]

    def is_test_file(self, path: Path) -> bool:
        if self.configuration(path.parent).ignores(path):
            return False
        patterns = self.configuration(path.parent).options.get("python_files", "test_*.py *_test.py").split()
        return any(fnmatch(path.name, pattern) for pattern in patterns)

    def text(self, path: Path) -> str | None:
        if path not in self._texts:
            try:
                self._texts[path] = path.read_text(encoding="utf-8").removeprefix("\ufeff") if path.is_file() else None
            except (OSError, UnicodeDecodeError):
                self._texts[path] = None
        return self._texts[path]

    def source(self, path: Path) -> Source | None:
        """A file with its tree; None when it has none."""
        if path not in self._sources:
            self._sources[path] = self._parse(path)
        return self._sources[path]

    def _parse(self, path: Path) -> Source | None:
        text = self.text(path)
        if text is None:
            return None
        try:
            return Source(str(path), text, self)
        except (SyntaxError, ValueError, RecursionError):
            return None

    def forget_tests(self) -> None:
        """Let go of the trees of test files: a suite of thousands is looked at one after the other."""
        self._sources = {
            path: source for path, source in self._sources.items() if path.name == "conftest.py" or source is None
        }

    # -- pytest's configuration ---------------------------------------------------------------------------------------

    def configuration(self, folder: Path) -> Configuration:
        """The nearest one upwards from a folder, not beyond the suite."""
        if folder not in self._configurations:
            self._configurations[folder] = self._find_configuration(folder)
        return self._configurations[folder]

    def _find_configuration(self, folder: Path) -> Configuration:
        for each in self.upwards(folder):
            for name in CONFIGURATION_FILES:
                found = read_configuration(each / name)
                if found is not None:
                    return found
        return Configuration()

    def place_of(self, configuration: Configuration) -> Path | None:
        """The file in which findings about a configuration file are told: the first conftest.py below it, or test."""
        if configuration.path not in self._places:
            own = [path for path in self._speaking_files if self.configuration(path.parent).path == configuration.path]
            conftests = [path for path in own if path.name == "conftest.py"]
            place = min(
                conftests or own, default=None, key=lambda path: (len(path.parts) if conftests else 0, str(path))
            )
            self._places[configuration.path] = place
        return self._places[configuration.path]

    def upwards(self, folder: Path) -> list[Path]:
        """A folder and those that hold it, up to the root of the suite."""
        if not folder.is_relative_to(self.root):
            return []
        return [each for each in (folder, *folder.parents) if each.is_relative_to(self.root)]

    # -- the conftest chain -------------------------------------------------------------------------------------------

    def conftests(self, folder: Path) -> list[Path]:
        """The conftest.py files that count for a folder, nearest first."""
        return [each / "conftest.py" for each in self.upwards(folder) if (each / "conftest.py").is_file()]

    def around(self, folder: Path) -> str:
        """The texts of the conftest chain."""
        return "\n".join(self.text(path) or "?" for path in self.conftests(folder))

    def doubt_about_runner(self, folder: Path) -> str:
        """Why something in sight may run the async tests of a folder, or their fixtures; "" when nothing does."""
        if folder not in self._doubts:
            self._doubts[folder] = self._find_doubt(folder)
        return self._doubts[folder]

    def _find_doubt(self, folder: Path) -> str:
        if not self.configuration(folder).known:
            return "pytest's configuration cannot be read"
        if _RUNNING_HOOKS.search(self.around(folder)):
            return "a conftest.py has hooks or plugins"
        places = [
            path for each in self.upwards(folder) for pattern in _FILES_WITH_REQUIREMENTS for path in each.glob(pattern)
        ]
        places += list(self.root.glob(".github/workflows/*.y*ml"))
        for path in places:
            text = re.sub(r"(?m)^\s*[\"']?asyncio_mode.*$", "", self.text(path) or "")
            if _OTHER_RUNNERS.search(text):
                return "there are signs of another runner"
        return ""

    def doubt_about_hooks(self, folder: Path) -> str:
        """Why a conftest.py may change the marks of the tests in a folder."""
        return "a conftest.py has hooks" if _MARKING_HOOKS.search(self.around(folder)) else ""

    def speaks_of_anyio(self, folder: Path) -> bool:
        """Whether a test or fixture at or below a folder, or a conftest.py around it, has to do with anyio or trio."""
        if folder not in self._anyio:
            texts = [self.text(path) or "" for path in self.test_files if path.is_relative_to(folder)]
            self._anyio[folder] = any(re.search("anyio|trio", text) for text in (*texts, self.around(folder)))
        return self._anyio[folder]

    def marks_asyncio(self, folder: Path) -> bool:
        """Whether a test at or below a folder is marked asyncio."""
        return any("mark.asyncio" in (self.text(path) or "") for path in self.test_files if path.is_relative_to(folder))

    # -- imports ------------------------------------------------------------------------------------------------------

    def module(self, name: str, importer: Path) -> Path | None:
        """The suite's own file behind a module's name, as a file imports it."""
        key = (importer.parent, name)
        if key not in self._modules:
            self._modules[key] = self._find_module(name, importer.parent)
        return self._modules[key]

    def _find_module(self, name: str, folder: Path) -> Path | None:
        if name.startswith("."):
            rest = name.lstrip(".")
            for _ in range(len(name) - len(rest) - 1):
                folder = folder.parent
            roots, name = [folder], rest
        else:
            roots = self._roots(folder)
        for root in roots:
            path = root.joinpath(*name.split(".")) if name else root
            for candidate in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
                if candidate.is_file() and candidate.is_relative_to(self.root):
                    return candidate
        return None

    def _roots(self, folder: Path) -> list[Path]:
        """Where modules can be found: the folder of the outermost package, the project's, and what is configured."""
        top = folder
        while (top / "__init__.py").is_file() and top != self.root:
            top = top.parent
        roots = [top]
        for each in self.upwards(folder):
            if any((each / name).is_file() for name in ("pyproject.toml", "setup.py", "setup.cfg", "conftest.py")):
                roots += [each, each / "src"]
        configuration = self.configuration(folder)
        if configuration.path is not None:
            where = configuration.path.parent
            roots += [
                where,
                where / "src",
                *(where / each for each in configuration.options.get("pythonpath", "").split()),
            ]
        return roots


def read_configuration(path: Path) -> Configuration | None:
    """What one file says to pytest, None when pytest does not take it for its configuration."""
    if not path.is_file():
        return None
    try:
        if path.suffix == ".toml":
            return _read_toml(path)
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return Configuration(path, known=False)
    section = "tool:pytest" if path.name == "setup.cfg" else "pytest"
    if not parser.has_section(section):
        return Configuration(path) if "pytest.ini" in path.name else None
    return Configuration(path, {key: " ".join(value.split()) for key, value in parser.items(section)})


def _read_toml(path: Path) -> Configuration | None:
    tree: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    if path.name == "pyproject.toml":
        tables = tree.get("tool", {}).get("pytest", {})
        table = tables.get("ini_options", tables)
        if "pytest" not in tree.get("tool", {}):
            return None
    else:
        table = tree.get("pytest", {})
    options = {
        key: " ".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in table.items()
    }
    return Configuration(path, options)


def words(text: str) -> list[str]:
    """The words of `addopts`."""
    try:
        return shlex.split(text)
    except ValueError:
        return [text]
