"""The project around the files that are checked. Read on demand, once per run, and never executed."""

from __future__ import annotations

import ast
import os
import time
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from flake8_async_tests.project.asyncio_mode import AsyncioMode, Mode
from flake8_async_tests.project.config import Configs, PytestConfig
from flake8_async_tests.project.files import Files
from flake8_async_tests.project.fixture_graph import Surroundings
from flake8_async_tests.project.imports import absolute_name, find_module, find_relative_module, package_root
from flake8_async_tests.project.outline import Outlines
from flake8_async_tests.project.patterns import Patterns
from flake8_async_tests.project.places import Places
from flake8_async_tests.project.signs import Signs, signs_of
from flake8_async_tests.project.workspaces import workspace_around
from flake8_async_tests.record import record
from flake8_async_tests.source.module import Module
from flake8_async_tests.source.test_libraries import imports_test_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flake8_async_tests.options import Options

_Fact = TypeVar("_Fact")

_USUAL_PATTERNS = Patterns()
# What a folder has that can be installed.
_BUILD_FILES = frozenset({"pyproject.toml", "setup.cfg", "setup.py"})

# What is remembered of a project is let go when it has become this much: the memory that a run takes is then bounded,
# whatever the size of the project, and what is needed again is soon read again.
_MOST_FILES_CHECKED = 2500
_MOST_BYTES_HELD = 64 * 1024 * 1024
_MOST_CHARACTERS_PARSED = 4 * 1024 * 1024
_LONGEST_PAUSE = 2.0
"""How many seconds may pass between two files of one run: after a longer time an editor may have changed anything."""


@record
class ConftestChain:
    """The conftest files that pytest loads for a folder, nearest first, each followed by the plugins it names."""

    modules: tuple[Module, ...]
    foreign_plugins: tuple[str, ...]
    """What `pytest_plugins` names outside the project."""
    complete: bool
    """False when one of them cannot be read: whatever it says is unknown."""


class Project:
    """Everything that is known beyond the file at hand."""

    def __init__(self, options: Options, files: Files | None = None) -> None:
        self.options = options
        self.files = files or Files()
        self.configs = Configs(self.files)
        self.places = Places(self)
        self.outlines = Outlines(self)
        self._current: Module | None = None
        self._others_know_current = False
        self._patterns_of_files: dict[str, Patterns] = {}
        self._checked: set[str] = set()
        self._characters_parsed = 0
        self._last_asked = time.monotonic()
        self._modules: dict[str, Module | None] = {}
        self._real_folders: dict[str, str] = {}
        self._last_path = ""
        """The path that was asked for last: of each file its place is asked several times."""
        self._last_place = ("", "", "")
        self._top_level: dict[tuple[str, tuple[str, ...]], bool] = {}
        self._chains: dict[str, ConftestChain] = {}
        self._surroundings: dict[str, Surroundings] = {}
        self._patterns: dict[str, Patterns] = {}
        self._signs: dict[str, Signs] = {}
        self._roots: dict[str, tuple[str, ...]] = {}
        self._imports: dict[tuple[str, str], str | None] = {}
        self._found_modules: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._asyncio_modes: dict[str, AsyncioMode] = {}
        self._root_folders: dict[str, str] = {}
        self._shown: dict[tuple[str, str], str] = {}
        # Any: each value is of the type that the function gives back.
        self._facts_of_folders: dict[tuple[str, Callable[[Project, str], Any]], Any] = {}
        self._said: dict[tuple[str, Callable[[bytes], Any]], Any] = {}

    # -- how long it lasts -----------------------------------------------------------------------------------

    def for_next(self) -> Project:
        """The project for the next file of a run: itself, or one that remembers nothing when this one has its fill."""
        is_full = (
            len(self._checked) >= _MOST_FILES_CHECKED
            or self._characters_parsed > _MOST_CHARACTERS_PARSED
            or self.files.held > _MOST_BYTES_HELD
        )
        return self._afresh() if is_full else self

    def for_run(self, path: str) -> Project:
        """The project for a file: one that remembers nothing when a new run begins with it.

        A process may live on after a run, and files may be changed before the next: that is one where a file comes
        again, or where time has passed.
        """
        now = time.monotonic()
        is_new = now - self._last_asked > _LONGEST_PAUSE or self._place_of(path)[0] in self._checked
        self._last_asked = now
        return self._afresh() if is_new else self.for_next()

    def _afresh(self) -> Project:
        return Project(self.options, self.files.afresh())

    # -- the file at hand -----------------------------------------------------------------------------------

    def is_no_test_file(self, path: str, tree: ast.Module) -> bool:
        """Whether a file certainly is none of tests, told before a module is made of it: so most can be passed over."""
        place, folder, name = self._place_of(path)
        self._checked.add(place)
        patterns = self._patterns_of_files.get(folder)
        if patterns is None:
            # Where no configuration says anything of test files, it need not be read for this.
            is_usual = not self.configs.may_name_test_files(folder)
            patterns = self._patterns_of_files[folder] = _USUAL_PATTERNS if is_usual else self.patterns_for(folder)
        return not (name == "conftest.py" or patterns.matches(name, place) or imports_test_library(tree))

    def module_for(self, path: str, tree: ast.Module, text: str | Sequence[str]) -> Module:
        """The module of the file that is being checked: what the linter was given is the truth, not the disk."""
        place, _, _ = self._place_of(path)
        if self._others_know_current or place in self._modules:
            # Others may hold what they have from another reading of this file, or from the last one at hand: of one
            # file there must not be two, or what is found would depend on what was checked before.
            self._modules.clear()
            self._chains.clear()
            self._surroundings.clear()
            self._others_know_current = False
        self._current = Module(place, tree, text, self)
        self._checked.add(place)
        return self._current

    def let_go(self) -> None:
        """Hold on no longer to the file that was checked, unless others do: to free its tree takes its time."""
        if self._current is not None and not self._others_know_current:
            self._current.forget()
            self._current = None

    def _place_of(self, path: str) -> tuple[str, str, str]:
        """Where a file stands, by an absolute path: its folder is free of links. With the folder and the name."""
        if path == self._last_path:
            return self._last_place
        folder, name = os.path.split(path)
        # Only absolute ones are known: a relative one means something else after a change of the current folder.
        real = self._real_folders.get(folder)
        if real is None:
            absolute = folder if os.path.isabs(folder) else os.path.join(_current_folder(), folder)
            real = self._find_real_folder(absolute)
        self._last_path = path
        self._last_place = os.path.join(real, name), real, name
        return self._last_place

    def _find_real_folder(self, folder: str) -> str:
        """Step by step from the nearest folder above that is known: so each folder of a project is looked at once."""
        known = self._real_folders
        names: list[str] = []
        while folder not in known:
            above, name = os.path.split(folder)
            if os.sep != "/" or name in ("", ".", ".."):
                known[folder] = _real_path(folder)
            else:
                names.append(name)
                folder = above
        real = known[folder]
        for name in reversed(names):
            folder = os.path.join(folder, name)
            real = os.path.join(real, name)
            if os.path.islink(real):
                real = _real_path(real)
            known[folder] = real
        return real

    def module_at(self, path: str) -> Module | None:
        """The module of another file of the project, or None when it cannot be read and parsed."""
        if self._current is not None and path == self._current.path:
            self._others_know_current = True
            return self._current
        if path not in self._modules:
            self._modules[path] = self._parse(path)
        return self._modules[path]

    def read_module(self, path: str) -> Module | None:
        """The same for whoever keeps but a few facts of it: it is not remembered, nor is its tree."""
        if self._current is not None and path == self._current.path:
            return self._current
        return self._modules[path] if path in self._modules else self._parse(path)

    def content(self, path: str) -> bytes | None:
        """The content of a file, as the linter was given it where it is the file that is being checked."""
        if self._current is not None and path == self._current.path:
            return self._current.text.encode(errors="replace")
        return self.files.read(path)

    def said_in(self, path: str, work_out: Callable[[bytes], _Fact]) -> _Fact | None:
        """What a function has to say of a file's content: asked of it once. None when the file cannot be read."""
        key = (path, work_out)
        if key not in self._said:
            content = self.files.read(path)
            self._said[key] = work_out(content) if content is not None else None
        found: _Fact | None = self._said[key]
        return found

    def _parse(self, path: str) -> Module | None:
        text = self.files.text(path)
        return self.parse(path, text) if text is not None else None

    def parse(self, path: str, text: str) -> Module | None:
        """A module, or a part of one, from its text; None when that is no valid Python."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text, path)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        self._characters_parsed += len(text)
        return Module(path, tree, text, self)

    # -- pytest's configuration -------------------------------------------------------------------------------

    def config_for(self, directory: str) -> PytestConfig:
        return self.configs.for_directory(directory)

    def asyncio_mode(self, directory: str) -> AsyncioMode:
        """pytest-asyncio's mode for the files of a folder, and what decided it."""
        found = self._asyncio_modes.get(directory)
        if found is None:
            found = self._asyncio_modes[directory] = self._decide_asyncio_mode(directory)
        return found

    def _decide_asyncio_mode(self, directory: str) -> AsyncioMode:
        if self.options.asyncio_mode is not None:
            return AsyncioMode(Mode(self.options.asyncio_mode), "the option async-tests-asyncio-mode")
        config = self.config_for(directory)
        if not config.known:
            return AsyncioMode(Mode.UNKNOWN, "pytest's configuration cannot be read")
        setting = config.asyncio_mode
        if setting is None:
            if config.path is None:
                return AsyncioMode(Mode.STRICT, "the default, no pytest configuration was found")
            return AsyncioMode(Mode.STRICT, f"the default, {self.shown(directory, config.path)} does not set it")
        place = f"{self.shown(directory, setting.path)}:{setting.line}"
        if setting.fault or setting.value not in ("auto", "strict"):
            return AsyncioMode(Mode.UNKNOWN, f"{place} sets asyncio_mode to something that is none")
        return AsyncioMode(Mode(setting.value), place)

    def shown(self, directory: str, path: str) -> str:
        """A path as a message shows it: from the project's root, the same wherever flake8 was started."""
        key = (self.configs.repository_root(directory) or self.root_of(directory), path)
        if key not in self._shown:
            self._shown[key] = os.path.relpath(path, key[0]).replace(os.sep, "/")
        return self._shown[key]

    def fact_of_folder(self, directory: str, work_out: Callable[[Project, str], _Fact]) -> _Fact:
        """What a function has to say of a folder, whatever stands in its Python files: asked of it once."""
        key = (directory, work_out)
        if key not in self._facts_of_folders:
            self._facts_of_folders[key] = work_out(self, directory)
        found: _Fact = self._facts_of_folders[key]
        return found

    def patterns_for(self, directory: str) -> Patterns:
        found = self._patterns.get(directory)
        if found is None:
            config = self.config_for(directory)
            found = self._patterns[directory] = Patterns(
                config.python_files, config.python_classes, config.python_functions
            )
        return found

    def signs_for(self, directory: str) -> Signs:
        """What the project's files say about runners that pytest's configuration does not name."""
        root = self.root_of(directory)
        found = self._signs.get(root)
        if found is None:
            # Packages of one repository are often tested by what stands at its root.
            repository = self.configs.repository_root(directory) or root
            found = self._signs[root] = signs_of(self.files, *dict.fromkeys((root, repository)))
        return found

    def root_of(self, directory: str) -> str:
        """The folder above which nothing belongs to the project any more."""
        found = self._root_folders.get(directory)
        if found is None:
            found = self._root_folders[directory] = self._find_root(directory)
        return found

    def _find_root(self, directory: str) -> str:
        config = self.config_for(directory)
        if config.path is not None:
            return os.path.dirname(config.path)
        if config.ground == "setup.py":
            return config.rootdir
        # Nothing decided: pytest would take the folder that it was started in, which findings must not depend on.
        return self.configs.repository_root(directory) or self._outermost_conftest_folder(directory)

    def _outermost_conftest_folder(self, directory: str) -> str:
        outermost = folder = directory
        while True:
            if self.files.has(os.path.join(folder, "conftest.py")):
                outermost = folder
            parent = os.path.dirname(folder)
            if parent == folder:
                return outermost
            folder = parent

    # -- the conftest chain -----------------------------------------------------------------------------------

    def conftests(self, directory: str) -> ConftestChain:
        """The chain for the files of one folder."""
        found = self._chains.get(directory)
        if found is None:
            found = self._chains[directory] = self._chain(directory)
        return found

    def surroundings(self, directory: str) -> Surroundings:
        """The modules around the files of one folder that give fixtures to them."""
        found = self._surroundings.get(directory)
        if found is None:
            found = self._surroundings[directory] = Surroundings(self, directory)
        return found

    def folders_loaded_early(self, directory: str) -> tuple[str, ...]:
        """The folders whose conftests pytest loads before it collects anything, whatever it then collects.

        They are its arguments, which without any on the command line are the `testpaths`, and `test*` within each.
        """
        config = self.config_for(directory)
        testpaths = config.get("testpaths")
        given = [
            config.rootdir,
            *(os.path.join(config.rootdir, path) for path in (testpaths.values if testpaths else ())),
        ]
        folders = dict.fromkeys(os.path.normpath(path) for path in given)
        for folder in tuple(folders):
            folders |= dict.fromkeys(
                os.path.join(folder, name) for name in self.files.folders_in(folder) if name.startswith("test")
            )
        return tuple(folders)

    def _chain(self, directory: str) -> ConftestChain:
        modules: dict[Module, None] = {}
        foreign: list[str] = []
        complete = True
        root = self.root_of(directory)
        for folder in _upwards(directory, root):
            path = os.path.join(folder, "conftest.py")
            if not self.files.has(path) and not (self._current is not None and self._current.path == path):
                continue
            conftest = self.module_at(path)
            if conftest is None:
                complete = False
                continue
            complete &= self._add_with_plugins(conftest, modules, foreign)
        return ConftestChain(tuple(modules), tuple(foreign), complete)

    def _add_with_plugins(self, module: Module, modules: dict[Module, None], foreign: list[str]) -> bool:
        """Add a module and the local ones that its `pytest_plugins` names; say whether all could be read."""
        complete = True
        todo: list[Module | str | None] = [module]
        while todo:
            each = todo.pop()
            if isinstance(each, str):
                foreign.append(each)
            elif each is None:
                complete = False
            elif each not in modules:
                modules[each] = None
                names = plugin_names(each)
                complete &= names is not None
                paths = [(name, self.find_import(name, each)) for name in names or ()]
                todo += reversed([self.module_at(path) if path is not None else name for name, path in paths])
        return complete

    def local_plugins(self, module: Module) -> Iterator[Module]:
        """The project's own modules that a file's `pytest_plugins` names."""
        for name in plugin_names(module) or ():
            path = self.find_import(name, module)
            plugin = self.module_at(path) if path is not None else None
            if plugin is not None and plugin is not module:
                yield plugin

    # -- imports ------------------------------------------------------------------------------------------------

    def find_import(self, name: str, importer: Module) -> str | None:
        """The project's own file behind a module name (relative ones begin with dots), or None."""
        return self.find_import_from(name, importer.directory)

    def find_import_from(self, name: str, directory: str) -> str | None:
        """The same for whatever file of a folder imports the module."""
        # Files of one folder, and mostly of one project, find a name at one place: it is looked up once.
        key = (name, directory)
        if key not in self._imports:
            if name.startswith("."):
                self._imports[key] = find_relative_module(self.files, name, directory)
            else:
                self._imports[key] = self._find_module(name, self.import_roots(directory))
        return self._imports[key]

    def absolute_name(self, name: str, importer: Module) -> str:
        """What a relative name (it begins with dots) is called from outside of the package."""
        return absolute_name(self.files, name, importer.directory)

    def _find_module(self, name: str, roots: tuple[str, ...]) -> str | None:
        key = (name, roots)
        if key not in self._found_modules:
            self._found_modules[key] = find_module(self.files, name, roots)
        return self._found_modules[key]

    def may_have(self, module: str, directory: str) -> bool:
        """Whether a module may be one of the project's, as it is imported in a folder."""
        return module.startswith(".") or self.has_top_level(module.partition(".")[0], directory)

    def has_top_level(self, name: str, directory: str) -> bool:
        """Whether the project has a folder or a module of this name, as the first one of an import."""
        key = (name, self.import_roots(directory))
        found = self._top_level.get(key)
        if found is None:
            has, join = self.files.has, os.path.join
            found = any(has(join(root, name)) or has(join(root, f"{name}.py")) for root in key[1])
            self._top_level[key] = found
        return found

    def import_roots(self, directory: str) -> tuple[str, ...]:
        """Where pytest and an installed checkout find modules, in this order."""
        found = self._roots.get(directory)
        if found is None:
            root = self.root_of(directory)
            roots = [package_root(self.files, directory), *self.config_for(directory).pythonpath]
            roots += [
                package_root(self.files, folder)
                for folder in _upwards(directory, root)
                if self.files.has(os.path.join(folder, "conftest.py"))
            ]
            workspace = self.fact_of_folder(root, _workspace_of)
            for installed in (root, self._installed_above(root), *workspace):
                roots += [installed, os.path.join(installed, "src")]
            found = self._roots[directory] = tuple(dict.fromkeys(roots))
        return found

    def _installed_above(self, root: str) -> str:
        """The nearest folder upwards that can be installed: pytest's configuration may stand among its tests."""
        installed = (
            folder for folder in self.folders_above(root) if not _BUILD_FILES.isdisjoint(self.files.names_in(folder))
        )
        return next(installed, root)

    def folders_above(self, root: str) -> Iterator[str]:
        """The root of a project and the folders above it, as far as its repository reaches."""
        return _upwards(root, self.configs.repository_root(root) or os.path.dirname(root))


def _workspace_of(project: Project, root: str) -> tuple[str, ...]:
    return workspace_around(project.files, project.configs, project.folders_above(root))


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        # It is gone.
        return ""


def _real_path(folder: str) -> str:
    try:
        return os.path.realpath(folder)
    except (OSError, ValueError):
        # The current folder is gone, or no folder can have such a name.
        return folder


def plugin_names(module: Module) -> tuple[str, ...] | None:
    """What a module's `pytest_plugins` names; None when that cannot be told."""
    if "pytest_plugins" not in module.scope.bindings:
        return ()
    value = module.names.assigned_value("pytest_plugins", module.scope)
    elements = value.elts if isinstance(value, (ast.List, ast.Tuple, ast.Set)) else [value]
    names: list[str] = []
    for element in elements:
        if not isinstance(element, ast.Constant) or not isinstance(element.value, str):
            return None
        names.extend(name.strip() for name in element.value.split(",") if name.strip())
    return tuple(names)


def _upwards(directory: str, root: str) -> Iterator[str]:
    """The folders from one up to the root, both included."""
    yield directory
    while directory != root and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
        yield directory
