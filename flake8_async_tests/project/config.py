"""Which configuration pytest takes for one file, with what values, and where each value stands.

The answer is pytest 9's for `pytest that/file.py` and nothing else: no command line, no environment
(`PYTEST_ADDOPTS`), no plugin that registers options of its own, and `minversion` and `required_plugins` are
taken as met. Nothing of the project is imported or run.

Where pytest would stop with an error, the configuration is not *known*: it holds pytest's defaults, and says
why in `fault`. As in pytest 9.2 that includes a broken file beside the one that counts.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypeVar

from flake8_async_tests.project.addopts import Addopts, read_addopts
from flake8_async_tests.project.candidates import CANDIDATE_NAMES, RawConfig, Section, read_candidate
from flake8_async_tests.project.settings import LIST_OPTIONS, Setting, setting_from_text
from flake8_async_tests.record import NOTHING_BY_NAME, unique_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flake8_async_tests.project.files import Files

__all__ = ["CANDIDATE_NAMES", "Configs", "Ground", "PytestConfig", "RawConfig", "Section", "Setting"]

DEFAULT_PYTHON_FILES = ("test_*.py", "*_test.py")
DEFAULT_PYTHON_CLASSES = ("Test",)
DEFAULT_PYTHON_FUNCTIONS = ("test",)

_Known = TypeVar("_Known")

Ground = Literal["configuration", "pyproject.toml", "setup.py", "nothing"]
"""What made a folder the rootdir: a file that configures pytest, or the mere presence of another."""


@unique_record
class PytestConfig:
    """pytest's configuration for the files of a folder."""

    rootdir: str
    path: str | None = None
    """The file that decided, or the one that stopped pytest. A pyproject.toml without a table for pytest is
    the file, too, where nothing else is found: it makes its folder the rootdir."""
    fault: str = ""
    """Why pytest stops with an error, empty where it does not."""
    settings: Mapping[str, Setting] = NOTHING_BY_NAME
    """Every option that is set, what `-o` in addopts sets included."""
    asyncio_mode: Setting | None = None
    """From `--asyncio-mode` in addopts, else from the option; None leaves pytest-asyncio's own default."""
    anyio_mode: Setting | None = None
    """From `--anyio-mode` and the option alike: for anyio it is enough that one of them says auto."""
    trio_mode: Setting | None = None
    python_files: tuple[str, ...] = DEFAULT_PYTHON_FILES
    python_classes: tuple[str, ...] = DEFAULT_PYTHON_CLASSES
    python_functions: tuple[str, ...] = DEFAULT_PYTHON_FUNCTIONS
    pythonpath: tuple[str, ...] = ()
    """The folders that pytest puts on the import path, absolute."""
    disabled_plugins: frozenset[str] = frozenset()
    """Both names that pytest blocks: `-p no:asyncio` gives `asyncio` and `pytest_asyncio`."""
    early_plugins: tuple[str, ...] = ()
    autoload_disabled: bool = False
    ignored: tuple[str, ...] = ()
    """What `--ignore` in addopts names, from the rootdir."""
    ignored_globs: tuple[str, ...] = ()
    ground: Ground = "configuration"

    @property
    def known(self) -> bool:
        """Whether what is said here can be relied on."""
        return not self.fault

    def get(self, name: str) -> Setting | None:
        """The option of that name, or None where it is not set."""
        return self.settings.get(name)


class Configs:
    """Finds and remembers the configuration of each folder."""

    def __init__(self, files: Files, invocation_directory: str | None = None) -> None:
        """The folder of invocation, by default the current one, only counts where no file decides a rootdir."""
        self._files = files
        self._invocation_directory = invocation_directory
        self._found: dict[str, PytestConfig] = {}
        self._raw: dict[str, RawConfig | None] = {}
        self._repositories: dict[str, str | None] = {}
        self._naming: dict[str, bool] = {}

    def for_directory(self, directory: str) -> PytestConfig:
        """The configuration that pytest takes for a file in this folder."""
        known = self._found.get(directory)
        if known is not None:
            return known
        absolute = _absolute(directory)
        # Upwards to the first folder whose answer is known, then down again: each folder's answer is its own
        # or rests on that of the folder above.
        pending, above = _pending(absolute, self._found)
        for folder in pending:
            above = self._configuration_in(folder) or self._without_configuration(folder, above)
            self._found[folder] = above
        found = self._found[directory] = self._found[absolute]
        return found

    def may_name_test_files(self, directory: str) -> bool:
        """Whether a file that may configure pytest, here or above, says by its text how test files are named."""
        pending, above = _pending(_absolute(directory), self._naming)
        found = above is True
        for folder in pending:
            found = self._naming[folder] = found or self._names_test_files(folder)
        return found

    def _names_test_files(self, folder: str) -> bool:
        names = self._files.names_in(folder)
        paths = (os.path.join(folder, name) for name in CANDIDATE_NAMES if name in names)
        return any(b"python_files" in (self._files.read(path) or b"") for path in paths)

    def candidates(self, directory: str) -> tuple[RawConfig, ...]:
        """What stands in each file of a folder that may configure pytest, in the order that pytest looks."""
        names = self._files.names_in(directory)
        paths = [os.path.join(directory, name) for name in CANDIDATE_NAMES if name in names]
        return tuple(raw for path in paths if (raw := self.raw(path)) is not None)

    def raw(self, path: str) -> RawConfig | None:
        """What stands in one such file; None where there is none."""
        if path not in self._raw:
            self._raw[path] = read_candidate(self._files, path)
        return self._raw[path]

    def if_it_counted(self, raw: RawConfig) -> PytestConfig | None:
        """What a file would come to if pytest took it; None where nothing in it is for pytest."""
        if raw.configuration is None:
            return None
        return _evaluate(os.path.dirname(raw.path), raw.path, raw.configuration)

    def repository_root(self, directory: str) -> str | None:
        """The nearest folder upwards that git or Mercurial calls its own."""
        directory = _absolute(directory)
        if directory not in self._repositories:
            self._repositories[directory] = next(filter(self._is_repository, _upwards(directory)), None)
        return self._repositories[directory]

    def _is_repository(self, directory: str) -> bool:
        names = self._files.names_in(directory)
        return ".git" in names or ".hg" in names

    def _configuration_in(self, folder: str) -> PytestConfig | None:
        """The configuration that stands in this very folder."""
        candidates = self.candidates(folder)
        winner = next((raw for raw in candidates if raw.error or raw.configuration), None)
        if winner is None:
            return None
        # pytest 9 reads the files after the winner as well, to warn of them, and trips over a broken one.
        broken = next((raw for raw in candidates if raw.error), None)
        if broken is not None:
            return PytestConfig(folder, winner.path, f"{broken.path}: {broken.error}")
        assert winner.configuration is not None
        return _evaluate(folder, winner.path, winner.configuration)

    def _without_configuration(self, folder: str, above: PytestConfig | None) -> PytestConfig:
        """What pytest falls back on: a configuration above, else a pyproject.toml, else a setup.py."""
        ground: Ground = "nothing" if above is None else above.ground
        if above is not None and ground == "configuration":
            return above
        pyproject = os.path.join(folder, "pyproject.toml")
        if self.raw(pyproject) is not None:
            return PytestConfig(folder, pyproject, ground="pyproject.toml")
        if above is not None and ground == "pyproject.toml":
            return above
        if self._files.is_file(os.path.join(folder, "setup.py")):
            return PytestConfig(folder, ground="setup.py")
        if above is not None and ground == "setup.py":
            return above
        return PytestConfig(self._rootdir_of_nothing(folder), ground="nothing")

    def _rootdir_of_nothing(self, folder: str) -> str:
        """What the folder has in common with the one where pytest is started, unless that is everything."""
        start = _absolute(self._invocation_directory or "")
        try:
            common = os.path.commonpath((start, folder))
        except ValueError:
            # On two drives of Windows, or started in a folder that is gone.
            return folder
        return folder if os.path.dirname(common) == common else common


def _absolute(path: str) -> str:
    """The absolute path as pytest has it: links are kept."""
    try:
        return os.path.abspath(path)
    except OSError:
        # The current folder is gone.
        return path


def _pending(directory: str, known: Mapping[str, _Known]) -> tuple[list[str], _Known | None]:
    """The folders of which nothing is known yet, from the top down to one, and what is known of the one above them."""
    pending: list[str] = []
    for folder in _upwards(directory):
        if folder in known:
            return pending[::-1], known[folder]
        pending.append(folder)
    return pending[::-1], None


def _upwards(directory: str) -> Iterator[str]:
    """The folder and all above it."""
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def _evaluate(rootdir: str, path: str, section: Section) -> PytestConfig:
    """What the options of the section that counts come to, addopts included."""
    addopts, line_of_addopts = Addopts(), 1
    setting = section.options.get("addopts")
    if setting is not None and not setting.fault:
        addopts, line_of_addopts = read_addopts(setting.values), setting.line

    def from_addopts(name: str, value: str) -> Setting:
        return setting_from_text(name, value, path, line_of_addopts, via="addopts")

    overrides = {name: from_addopts(name, value) for name, value in addopts.overrides.items()}
    settings = {**section.options, **overrides}
    faults = [settings[name].fault for name in LIST_OPTIONS if name in settings]
    fault = next(filter(None, (*faults, addopts.fault)), None)
    if fault is not None:
        return PytestConfig(rootdir, path, f"{path}: {fault}")

    def words(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        return settings[name].values if name in settings else default

    modes = {flag: from_addopts(flag, value) for flag, value in addopts.modes.items()}
    folder = os.path.dirname(path)
    return PytestConfig(
        rootdir,
        path,
        settings=settings,
        asyncio_mode=modes.get("--asyncio-mode", settings.get("asyncio_mode")),
        anyio_mode=_anyio_mode(modes.get("--anyio-mode"), settings.get("anyio_mode")),
        trio_mode=settings.get("trio_mode"),
        python_files=words("python_files", DEFAULT_PYTHON_FILES),
        python_classes=words("python_classes", DEFAULT_PYTHON_CLASSES),
        python_functions=words("python_functions", DEFAULT_PYTHON_FUNCTIONS),
        pythonpath=tuple(os.path.normpath(os.path.join(folder, word)) for word in words("pythonpath", ())),
        disabled_plugins=addopts.disabled_plugins,
        early_plugins=addopts.early_plugins,
        autoload_disabled=addopts.autoload_disabled,
        ignored=addopts.ignored,
        ignored_globs=addopts.ignored_globs,
    )


def _anyio_mode(flag: Setting | None, option: Setting | None) -> Setting | None:
    # Unlike pytest-asyncio, anyio asks both and is content with one auto.
    if flag is None or (option is not None and flag.value != "auto"):
        return option
    return flag
