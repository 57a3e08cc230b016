"""Which fixture a name means, seen from a test or from another fixture, as pytest resolves it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flake8_async_tests.lazy import lazy
from flake8_async_tests.project.bases import plain_bases_elsewhere
from flake8_async_tests.project.provided import Entry, OfClass, OfModule, Provided, has_fixtures, provided_by_module
from flake8_async_tests.record import record
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

__all__ = ["Closure", "FixtureGraph", "OfModule", "Provided", "provided_by_module"]

# Fixtures of well-known plugins that ask for another one, which rules have to know of.
_REQUESTS_OF_FOREIGN = {"anyio_backend_name": ("anyio_backend",), "anyio_backend_options": ("anyio_backend",)}


@record
class Closure:
    """Every fixture that a test sets up."""

    fixtures: tuple[Fixture, ...]
    names: frozenset[str]
    """All names asked for on the way, those of fixtures that cannot be seen included."""
    complete: bool
    """Whether all the fixtures of the project that it could draw in were readable."""


class Surroundings:
    """The conftests and plugins that give fixtures to the files of one folder."""

    def __init__(self, project: Project, directory: str) -> None:
        chain = project.conftests(directory)
        root = project.root_of(directory)
        conftests, plugins = _sorted_out(chain.modules, directory)
        # What the conftest of the root and the plugins provide is in sight everywhere: the last to come in counts.
        self._near = [conftest for conftest in conftests if conftest.directory != root]
        self._everywhere = [conftest for conftest in conftests if conftest.directory == root]
        self._plugins = plugins
        self._plugins_of_addopts = list(_plugins_of_addopts(project, directory))
        self.complete = chain.complete
        """Whether every conftest could be read."""
        modules = dict.fromkeys((*self._near, *self._everywhere, *self._plugins, *self._plugins_of_addopts))
        self.provided = tuple(provided_by_module(module) for module in modules)
        """What they provide to a file that names no plugins of its own, nearest first."""

    @lazy
    def is_all(self) -> bool:
        """Whether that is certainly all."""
        return self.complete and all(each.complete for each in self.provided)

    def provided_for(self, module: Module, own_plugins: list[Module]) -> tuple[OfModule, ...]:
        """What a file itself and all around it provide, where it is one of them or names plugins."""
        own = [plugin for plugin in reversed(own_plugins) if plugin not in self._plugins]
        everywhere = (*self._everywhere, *self._plugins, *self._plugins_of_addopts)
        modules = dict.fromkeys((module, *self._near, *own, *everywhere))
        return tuple(provided_by_module(each) for each in modules)


class FixtureGraph:
    """The fixtures as the tests of one file see them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._by_class: dict[Class | None, tuple[Provided, ...]] = {}
        self._entries: dict[tuple[Class | None, str], tuple[Entry, ...]] = {}
        self._closures: dict[tuple[Class | None, tuple[str, ...], tuple[str, ...], bool], Closure] = {}
        self._walks: dict[tuple[Class | None, tuple[str, ...]], _Walk] = {}
        self._homes: dict[Class, Class | None] = {}

    # -- where fixtures come from -----------------------------------------------------------------------------------

    @lazy
    def _around(self) -> tuple[tuple[OfModule, ...], bool]:
        """What the module itself and everything outside it provide, nearest first, and whether that is all."""
        around = self.module.project.surroundings(self.module.directory)
        own = provided_by_module(self.module)
        own_plugins = list(self.module.project.local_plugins(self.module))
        if own_plugins or own in around.provided:
            provided = around.provided_for(self.module, own_plugins)
            return provided, around.complete and all(each.complete for each in provided)
        return (own, *around.provided), around.is_all and own.complete

    @property
    def _used_by_configuration(self) -> tuple[str, ...]:
        """What the option `usefixtures` names."""
        setting = self.module.project.config_for(self.module.directory).get("usefixtures")
        return setting.values if setting is not None else ()

    def providers(self, klass: Class | None) -> tuple[Provided, ...]:
        """Where a name is looked up, nearest first, for what stands in a class (None: in the module)."""
        found = self._by_class.get(klass)
        if found is None:
            nearest: list[Provided] = []
            around: Class | None = klass
            while around is not None:
                nearest.append(OfClass(around))
                around = self.module.class_at(around.outer)
            found = self._by_class[klass] = (*nearest, *self._around[0])
        return found

    def home_of(self, klass: Class | None) -> Class | None:
        """The class, of it and those around, that is the nearest with fixtures: for all in it names mean the same."""
        if klass is None:
            return None
        if klass not in self._homes:
            around = self.module.class_at(klass.outer)
            self._homes[klass] = klass if has_fixtures(klass) else self.home_of(around)
        return self._homes[klass]

    def is_complete(self, klass: Class | None) -> bool:
        """Whether every fixture in sight could be read."""
        return self._is_complete_here(klass) or (
            self._around[1] and klass is not None and plain_bases_elsewhere(klass) is not None
        )

    def _is_complete_here(self, klass: Class | None) -> bool:
        """The same, but that a base of another file is not looked at: then it is not known."""
        return self._around[1] and (klass is None or klass.kind is not ClassKind.UNKNOWN)

    # -- what a name means --------------------------------------------------------------------------------------------

    def entries_of(self, name: str, klass: Class | None = None) -> tuple[Entry, ...]:
        """All that a name means, each overriding the next."""
        home = self.home_of(klass)
        key = (home, name)
        found = self._entries.get(key)
        if found is None:
            found = tuple(entry for provided in self.providers(home) for entry in provided.entries_of(name))
            self._entries[key] = found
        return found

    def find(self, name: str, klass: Class | None = None, *, beyond: Fixture | None = None) -> Fixture | None:
        """The fixture that a name means; with `beyond`, the next one that this fixture overrides."""
        passed = beyond is None
        for entry in self.entries_of(name, klass):
            if passed:
                return entry.fixture
            passed = entry.fixture is beyond
        return None

    def all_in_sight(self, klass: Class | None = None) -> list[Entry]:
        """What each name means, in the order of the names: for people to read."""
        found: dict[str, Entry] = {}
        for provided in self.providers(klass):
            for attribute in sorted(provided.attributes, reverse=True):
                entry = provided.attribute(attribute)
                if entry is not None and not entry.foreign:
                    found.setdefault(entry.name, entry)
        return [found[name] for name in sorted(found)]

    def is_in_sight(self, name: str, klass: Class | None = None) -> bool:
        """Whether some fixture of the project has that name, readable or not."""
        return any(not entry.foreign for entry in self.entries_of(name, klass))

    def is_foreign(self, name: str, klass: Class | None = None) -> bool:
        """Whether a name means something that is imported from outside the project."""
        entries = self.entries_of(name, klass)
        return bool(entries) and entries[0].foreign

    def may_be_in_sight(self, name: str, klass: Class | None = None) -> bool:
        """Whether a fixture has that name, or possibly has: something imported from outside, or by a star."""
        return bool(self.entries_of(name, klass)) or not self.is_complete(klass)

    def autouse(self, klass: Class | None) -> list[str]:
        """The names of the fixtures that are used without being asked for, in the order of pytest."""
        found = list(self._used_by_configuration)
        for provided in reversed(self.providers(klass)):
            found += provided.autouse
        return found

    # -- closures -----------------------------------------------------------------------------------------------------

    def closure_of(self, test: Test) -> Closure:
        """Every fixture that a test sets up, autouse ones included."""
        return self.closure(test.klass, test.requests, test.parametrized)

    def closure(self, klass: Class | None, requests: tuple[str, ...], hidden: tuple[str, ...] = ()) -> Closure:
        """What is set up for these requests in a class; names that `parametrize` fills hide fixtures."""
        home, complete = self.home_of(klass), self._is_complete_here(klass)
        key = (home, requests, hidden, complete)
        found = self._closures.get(key)
        if found is None:
            walk = self._walk_through_autouse(home, hidden)
            for name in requests:
                walk.ask(name)
            found = self._closures[key] = walk.closure(complete)
        return found

    def _walk_through_autouse(self, home: Class | None, hidden: tuple[str, ...]) -> _Walk:
        """The walk as far as it is the same for all tests of a class, or of the module."""
        key = (home, hidden)
        if key not in self._walks:
            self._walks[key] = walk = _Walk(self, home, hidden)
            for name in self.autouse(home):
                walk.ask(name)
        return self._walks[key].copy()

    def closure_behind(self, name: str, klass: Class | None, hidden: tuple[str, ...] = ()) -> Closure:
        """What is set up for one name alone."""
        walk = _Walk(self, self.home_of(klass), hidden)
        walk.ask(name)
        return walk.closure(self._is_complete_here(klass))

    def all_behind(self, name: str, klass: Class | None) -> set[Fixture]:
        """Every fixture that a name may draw in, those included that others override: more than pytest sets up."""
        found: set[Fixture] = set()
        asked = {name}
        todo = [name]
        while todo:
            name = todo.pop()
            entries = self.entries_of(name, klass)
            further = set(() if entries else _REQUESTS_OF_FOREIGN.get(name, ()))
            for entry in entries:
                if entry.fixture is not None:
                    found.add(entry.fixture)
                    further.update(entry.fixture.requests)
            todo += further - asked
            asked |= further
        return found

    def names_leading_to(self, name: str) -> frozenset[str]:
        """The names of the fixtures in sight from the module that draw in one of this name, wherever that stands."""
        requests = {entry.name: entry.fixture.requests for entry in self.all_in_sight() if entry.fixture is not None}
        found = {name}
        todo = [name]
        while todo:
            asked = todo.pop()
            further = {each for each, requested in requests.items() if asked in requested} - found
            found |= further
            todo += further
        return frozenset(found - {name})

    def closure_of_fixture(self, fixture: Fixture) -> Closure:
        """A fixture with all that it asks for, as seen from this file."""
        klass = fixture.klass if fixture.module is self.module else None
        walk = _Walk(self, klass, ())
        walk.enter(fixture)
        return walk.closure(self._is_complete_here(klass))


class _Walk:
    """One walk from requests to all that they draw in.

    A fixture's own name means, in the fixture and in all that it asks for, the one that it overrides.
    """

    def __init__(self, graph: FixtureGraph, klass: Class | None, hidden: tuple[str, ...]) -> None:
        self._graph = graph
        self._klass = klass
        self._hidden = hidden
        self._level: dict[str, int] = {}
        """How many fixtures of a name are being set up, of those that override each other."""
        self._fixtures: dict[Fixture, None] = {}
        self._todo: list[tuple[str, bool]] = []

    def copy(self) -> _Walk:
        """The same walk, to be gone on with in another direction."""
        walk = _Walk(self._graph, self._klass, self._hidden)
        walk._level = self._level.copy()
        walk._fixtures = self._fixtures.copy()
        return walk

    def ask(self, name: str) -> None:
        self._todo.append((name, True))
        self._run()

    def enter(self, fixture: Fixture) -> None:
        """Begin with a fixture, be it one that another overrides."""
        entries = self._graph.entries_of(fixture.name, self._klass)
        level = next((at for at, entry in enumerate(entries) if entry.fixture is fixture), len(entries))
        self._set_up(fixture.name, fixture, level)
        self._run()

    def closure(self, complete: bool) -> Closure:
        return Closure(tuple(self._fixtures), frozenset(self._level), complete)

    def _run(self) -> None:
        while self._todo:
            name, is_asked = self._todo.pop()
            if is_asked:
                self._look_up(name)
            else:
                self._level[name] -= 1

    def _look_up(self, name: str) -> None:
        level = self._level.get(name)
        if level == 0:
            return
        level = self._level.setdefault(name, 0)
        if name in self._hidden:
            return
        entries = self._graph.entries_of(name, self._klass)
        if level < len(entries):
            self._set_up(name, entries[level].fixture, level)
        elif not entries:
            self._push(_REQUESTS_OF_FOREIGN.get(name, ()))

    def _set_up(self, name: str, fixture: Fixture | None, level: int) -> None:
        if fixture is None:
            return
        self._fixtures[fixture] = None
        self._level[name] = level + 1
        self._todo.append((name, False))
        self._push(fixture.requests)

    def _push(self, names: Iterable[str]) -> None:
        self._todo.extend((name, True) for name in reversed(tuple(names)))


def _plugins_of_addopts(project: Project, directory: str) -> Iterator[Module]:
    """The local modules that `-p` names."""
    for name in project.config_for(directory).early_plugins:
        path = project.find_import_from(name, directory)
        plugin = project.module_at(path) if path is not None else None
        if plugin is not None:
            yield plugin


def _sorted_out(chain: tuple[Module, ...], directory: str) -> tuple[list[Module], list[Module]]:
    """The conftests of a chain, nearest first, and the plugins that they name, those named last first."""
    conftests: list[Module] = []
    plugins: list[Module] = []
    group: list[Module] = []
    for each in chain:
        if each.is_conftest and _is_at_or_above(each.directory, directory):
            conftests.append(each)
            plugins += reversed(group)
            group = []
        else:
            group.append(each)
    return conftests, [*plugins, *reversed(group)]


def _is_at_or_above(folder: str, directory: str) -> bool:
    return directory == folder or directory.startswith(folder.rstrip(os.sep) + os.sep)
