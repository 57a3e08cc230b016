"""Which fixture a name means, seen from a test or from another fixture, as pytest resolves it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.tests import used_fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

# Fixtures of well-known plugins that ask for another one, which rules have to know of.
_REQUESTS_OF_FOREIGN = {"anyio_backend_name": ("anyio_backend",), "anyio_backend_options": ("anyio_backend",)}

# How far `from .fixtures import *` is followed from module to module.
_IMPORT_DEPTH = 4


class Provided:
    """The fixtures that one class or module puts in sight."""

    def __init__(self, own: list[Fixture], imports: Imports | None = None) -> None:
        self._fixtures: dict[str, Fixture | None] = {fixture.name: fixture for fixture in own}
        self._imports = imports
        self.complete = True
        """False when there may be more: a star import from a module that cannot be read."""
        if imports is not None:
            for name, fixture in imports.eager():
                self._fixtures.setdefault(name, fixture)
            self.complete = imports.complete

    def has(self, name: str) -> bool:
        """Whether some fixture has that name here, be it one that cannot be read."""
        if name not in self._fixtures and self._imports is not None and self._imports.is_fixture(name):
            self._fixtures[name] = self._imports.find(name)
        return name in self._fixtures

    def get(self, name: str) -> Fixture | None:
        """The fixture of that name; None when there is none or when it cannot be read."""
        return self._fixtures[name] if self.has(name) else None

    @cached_property
    def autouse(self) -> tuple[str, ...]:
        return tuple(name for name, fixture in self._fixtures.items() if fixture is not None and fixture.is_autouse)

    def all(self) -> Iterator[tuple[str, Fixture | None]]:
        """Every fixture with its name, imported ones included, however much has to be read for it."""
        if self._imports is not None:
            for name in self._imports.names():
                self.has(name)
        yield from self._fixtures.items()


class Imports:
    """The fixtures that a module imports. The modules behind the imports are read only when they have to be."""

    def __init__(self, module: Module, depth: int = _IMPORT_DEPTH) -> None:
        self._module = module
        self._depth = depth
        self._found: dict[str, tuple[bool, Fixture | None]] = {}
        self._stars: list[Provided] = []
        self.complete = True
        for node in module.scope.of(ast.ImportFrom):
            assert isinstance(node, ast.ImportFrom)
            if node.names[0].name == "*":
                self._add_star(node)

    def _add_star(self, node: ast.ImportFrom) -> None:
        source = _module_behind(self._module, node)
        if source is None or not self._depth:
            self.complete = False
            return
        star = provided_by_module(source) if self._depth == _IMPORT_DEPTH else own_and_imported(source, self._depth - 1)
        self._stars.append(star)
        self.complete &= star.complete

    def names(self) -> list[str]:
        """The names that are bound by an import, or by a call, and so may be fixtures."""
        return [
            name
            for name, bindings in self._module.scope.bindings.items()
            if isinstance(bindings[-1], (ast.ImportFrom, ast.Name))
        ]

    def eager(self) -> Iterator[tuple[str, Fixture | None]]:
        """The fixtures that count without being asked for by the imported name: autouse ones, and renamed ones."""
        for node in self._module.scope.of(ast.ImportFrom):
            assert isinstance(node, ast.ImportFrom)
            path = _path_behind(self._module, node)
            content = self._module.project.files.read(path) if path is not None else None
            if content is None or b"fixture" not in content or not (b"autouse" in content or b"name=" in content):
                continue
            for alias in node.names:
                local = alias.asname or alias.name
                fixture = self.find(local) if local != "*" else None
                if fixture is not None:
                    renamed = fixture.name != fixture.function.name
                    yield (fixture.name if renamed else local), fixture
        for star in self._stars:
            yield from star.all()

    def is_fixture(self, name: str) -> bool:
        return self._look_up(name)[0]

    def find(self, name: str) -> Fixture | None:
        return self._look_up(name)[1]

    def _look_up(self, name: str) -> tuple[bool, Fixture | None]:
        found = self._found.get(name)
        if found is None:
            self._found[name] = (False, None)
            found = self._found[name] = self._read(name)
        return found

    def _read(self, name: str) -> tuple[bool, Fixture | None]:
        bindings = self._module.scope.bindings.get(name, ())
        binding = bindings[-1] if bindings else None
        if isinstance(binding, ast.ImportFrom):
            return _imported_fixture(self._module, binding, name, self._depth)
        if isinstance(binding, ast.Name) and _is_made_by_call(self._module, name):
            return True, None
        return False, None


@dataclass(frozen=True, slots=True)
class Closure:
    """Every fixture that a test sets up."""

    fixtures: tuple[Fixture, ...]
    names: frozenset[str]
    """All names asked for on the way, those of fixtures that cannot be seen included."""
    complete: bool
    """Whether all the fixtures of the project that it could draw in were readable."""


class FixtureGraph:
    """The fixtures as the tests of one file see them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._by_class: dict[Class | None, tuple[Provided, ...]] = {}
        self._closures: dict[tuple[Class | None, tuple[str, ...]], Closure] = {}

    @cached_property
    def _around(self) -> tuple[tuple[Provided, ...], bool]:
        """What the module itself and everything outside it provide, nearest first."""
        chain = self.module.project.conftests(self.module.directory)
        modules = [self.module, *self._own_plugins]
        modules += [conftest for conftest in chain.modules if conftest is not self.module]
        provided = tuple(provided_by_module(module) for module in modules)
        return provided, chain.complete and all(each.complete for each in provided)

    @cached_property
    def _own_plugins(self) -> list[Module]:
        """The local modules that `pytest_plugins` of the file itself names."""
        return list(self.module.project.local_plugins(self.module))

    def providers(self, klass: Class | None) -> tuple[Provided, ...]:
        """Where a name is looked up, nearest first, for what stands in a class (None: in the module)."""
        found = self._by_class.get(klass)
        if found is None:
            nearest: list[Provided] = []
            around: Class | None = klass
            while around is not None:
                nearest += [_provided_by_class(each) for each in around.lineage]
                around = self.module.class_at(around.outer)
            found = self._by_class[klass] = (*nearest, *self._around[0])
        return found

    def is_complete(self, klass: Class | None) -> bool:
        """Whether every fixture in sight could be read."""
        return self._around[1] and (klass is None or klass.kind is not ClassKind.UNKNOWN)

    def find(self, name: str, klass: Class | None = None, *, beyond: Fixture | None = None) -> Fixture | None:
        """The fixture that a name means; with `beyond`, the next one that this fixture overrides."""
        passed = beyond is None
        for provided in self.providers(klass):
            if provided.has(name):
                fixture = provided.get(name)
                if passed:
                    return fixture
                passed = fixture is beyond
        return None

    def is_in_sight(self, name: str, klass: Class | None = None) -> bool:
        """Whether some fixture of the project has that name, readable or not."""
        return any(provided.has(name) for provided in self.providers(klass))

    def autouse(self, klass: Class | None) -> list[str]:
        """The names of the fixtures that are used without being asked for."""
        return [name for provided in self.providers(klass) for name in provided.autouse]

    def closure_of(self, test: Test) -> Closure:
        """Every fixture that a test sets up, autouse ones included."""
        return self.closure(test.klass, test.requests)

    def closure(self, klass: Class | None, requests: tuple[str, ...]) -> Closure:
        key = (klass, requests)
        found = self._closures.get(key)
        if found is None:
            found = self._closures[key] = self._work_out_closure(klass, requests)
        return found

    def closure_of_fixture(self, fixture: Fixture) -> Closure:
        """A fixture with all that it asks for, as seen from this file."""
        return self._extended(fixture.klass if fixture.module is self.module else None, [], [fixture])

    def _work_out_closure(self, klass: Class | None, requests: tuple[str, ...]) -> Closure:
        return self._extended(klass, [*self.autouse(klass), *requests], [])

    def _extended(self, klass: Class | None, asked: list[str], start: list[Fixture]) -> Closure:
        names: set[str] = set()
        fixtures: dict[Fixture, None] = dict.fromkeys(start)
        todo: list[tuple[str, Fixture | None]] = [(name, None) for name in asked]
        for fixture in start:
            todo += self._asked_by(fixture)
        while todo:
            name, overriding = todo.pop(0)
            if overriding is None and name in names:
                continue
            names.add(name)
            found = self.find(name, klass, beyond=overriding)
            if found is None:
                todo += [(other, None) for other in _REQUESTS_OF_FOREIGN.get(name, ())]
            elif found not in fixtures:
                fixtures[found] = None
                todo += self._asked_by(found)
        return Closure(tuple(fixtures), frozenset(names), self.is_complete(klass))

    def _asked_by(self, fixture: Fixture) -> list[tuple[str, Fixture | None]]:
        """What a fixture asks for. Its own name means the one that it overrides."""
        asked = [*fixture.requests, *used_fixtures(fixture.function.own_marks)]
        return [(name, fixture if name == fixture.name else None) for name in asked]


def _provided_by_class(klass: Class) -> Provided:
    found = (klass.module.fixture_of(method) for method in klass.methods.values())
    return Provided([fixture for fixture in found if fixture is not None])


def provided_by_module(module: Module) -> Provided:
    """The fixtures of a module: its own and those it imports."""
    return module.provided_fixtures


def own_and_imported(module: Module, depth: int = _IMPORT_DEPTH) -> Provided:
    """Work out what `provided_by_module` remembers."""
    own = [fixture for fixture in module.fixtures if fixture.function.outer is module.scope]
    return Provided(own, Imports(module, depth))


def _path_behind(module: Module, node: ast.ImportFrom) -> str | None:
    path = module.project.find_import("." * node.level + (node.module or ""), module)
    return path if path != module.path else None


def _module_behind(module: Module, node: ast.ImportFrom) -> Module | None:
    path = _path_behind(module, node)
    return module.project.module_at(path) if path is not None else None


def _imported_fixture(module: Module, node: ast.ImportFrom, name: str, depth: int) -> tuple[bool, Fixture | None]:
    """Whether an imported name is a fixture, and which one."""
    source = _module_behind(module, node)
    if source is None:
        return False, None
    original = next((alias.name for alias in node.names if (alias.asname or alias.name) == name), name)
    for fixture in source.fixtures:
        if fixture.function.outer is source.scope and fixture.function.name == original:
            return True, fixture
    for binding in source.scope.bindings.get(original, ()):
        if isinstance(binding, ast.ImportFrom) and depth:
            return _imported_fixture(source, binding, original, depth - 1)
        if isinstance(binding, ast.Name) and _is_made_by_call(source, original):
            return True, None
    return False, None


def _is_made_by_call(module: Module, name: str) -> bool:
    """`client = pytest.fixture(make_client)`: a fixture, but not one that can be read here."""
    value = module.names.assigned_value(name, module.scope)
    while isinstance(value, ast.Call):
        if module.qualified(value.func, module.scope) in ("pytest.fixture", "pytest_asyncio.fixture"):
            return True
        value = value.func
    return False
