"""Which tests in sight ask for a fixture, and who runs these.

For a fixture of a test file the tests of that file are in sight. One of a conftest serves all below its
folder, and there only files are looked into that hold certain words: reading two thousand files costs little,
parsing them would cost more than all the rest.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from flake8_async_tests.lazy import lazy
from flake8_async_tests.project.fixture_graph import FixtureGraph
from flake8_async_tests.runner import Runs, asyncio_mode, runner_of
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_MOST_FILES_PARSED = 100

ANYIO_WORDS = (b"mark.anyio", b"anyio_backend")
"""What a file holds whose tests anyio runs, unless all of them do by configuration."""

_Place: TypeAlias = tuple[str, int]

_LETTER = rb"[\w\x80-\xff]"
_WORD = re.compile(_LETTER + rb"+")

_FEW_SEARCHES = 20
"""How often files are searched for names before it is cheaper to know all the words in each."""

_FILES_SERVED: WeakKeyDictionary[Project, dict[str, _FilesServed]] = WeakKeyDictionary()


class _FilesServed:
    """The files that the fixtures of a conftest, or of a module that others import, may serve."""

    def __init__(self, project: Project, folder: str) -> None:
        self._files = project.files
        self._paths = dict.fromkeys(project.places.test_files(folder))
        self._found: dict[tuple[bytes, ...], dict[str, None]] = {}
        self._searches = 0

    def with_words(self, words: tuple[bytes, ...]) -> dict[str, None]:
        """Those that hold one of some words, in their order. Fixtures of many modules may ask for the same."""
        if words not in self._found:
            self._found[words] = dict.fromkeys(self._search(words, self._paths))
        return self._found[words]

    def with_names(self, names: tuple[bytes, ...], words: tuple[bytes, ...]) -> Iterator[str]:
        """Those of them that hold one of some names as well."""
        return self._search(names, self.with_words(words))

    def _search(self, words: tuple[bytes, ...], paths: dict[str, None]) -> Iterator[str]:
        if not all(map(_WORD.fullmatch, words)):
            return (path for path in paths if _holds(self._text(path), words))
        self._searches += 1
        if self._searches > _FEW_SEARCHES:
            places = {place: path for word in words for place, path in self._places_of_words.get(word, ())}
            return (path for _, path in sorted(places.items()) if path in paths)
        whole = re.compile(rb"(?<!%b)(?:%b)(?!%b)" % (_LETTER, b"|".join(words), _LETTER))
        texts = ((path, self._text(path)) for path in paths)
        return (path for path, text in texts if _holds(text, words) and whole.search(text))

    @lazy
    def _places_of_words(self) -> dict[bytes, list[tuple[int, str]]]:
        """In which of the files each word stands."""
        found: dict[bytes, list[tuple[int, str]]] = {}
        for place in enumerate(self._paths):
            for word in set(_WORD.findall(self._text(place[1]))):
                found.setdefault(word, []).append(place)
        return found

    def _text(self, path: str) -> bytes:
        return self._files.read(path) or b""


class _Sight:
    """What a module's fixtures serve, looked up once for all of them."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._modules: dict[str, Module | None] = {}
        self._requests: dict[str, dict[_Place, list[tuple[Test, bool]]]] = {}

    def modules(self, words: tuple[bytes, ...], names: tuple[bytes, ...] = ()) -> Iterator[Module]:
        """The module itself and, where its fixtures serve others, the files with one of the words and of the names."""
        yield self._module
        for path in islice(self._files_with(words, names), _MOST_FILES_PARSED):
            if path not in self._modules:
                self._modules[path] = self._module.project.read_module(path)
            other = self._modules[path]
            if other is not None:
                yield other

    def _files_with(self, words: tuple[bytes, ...], names: tuple[bytes, ...]) -> Iterator[str]:
        if not words or self._module.matches_python_files:
            return iter(())
        served = _files_served(self._module)
        paths = served.with_names(names, words) if names else served.with_words(words)
        return (path for path in paths if path != self._module.path)

    @lazy
    def speaks_of_pytest_asyncio(self) -> bool:
        """Whether the module or a file that it serves speaks of it, or where none does, of no other runner either."""
        return self._speaks_of(b"mark.asyncio", b"pytest_asyncio") or not self._speaks_of(b"mark.anyio", b"mark.trio")

    def _speaks_of(self, *words: bytes) -> bool:
        return _holds(self._module.text.encode(), words) or any(self._files_with(words, ()))

    @lazy
    def names_leading_to(self) -> dict[_Place, tuple[bytes, ...]]:
        """By which names the module's own fixtures lead to each: none where one is there without being asked for."""
        found: dict[_Place, list[Fixture]] = {}
        for fixture in self._module.fixtures:
            for behind in self._module.fixture_graph.closure_of_fixture(fixture).fixtures:
                found.setdefault(behind.place, []).append(fixture)
        return {
            place: ()
            if any(each.is_autouse for each in leading)
            else tuple(each.name.encode(errors="replace") for each in leading)
            for place, leading in found.items()
        }

    def requests(self, fixture: Fixture, other: Module) -> list[tuple[Test, bool]]:
        """The tests of a module that set a fixture up, and whether an `anyio_backend` is set up with it."""
        found = self._requests.get(other.path)
        if found is None:
            found = self._requests[other.path] = self._all_requests(other)
        return found.get(fixture.place, [])

    def _all_requests(self, other: Module) -> dict[_Place, list[tuple[Test, bool]]]:
        # Not the graph that the other one remembers: that may hold an older reading of the fixture's own file.
        graph = other.fixture_graph if other is self._module else FixtureGraph(other)
        found: dict[_Place, list[tuple[Test, bool]]] = {}
        for test in other.tests:
            closure = graph.closure_of(test)
            with_anyio = "anyio_backend" in closure.names or _draws_anyio_in(test)
            for place in {fixture.place for fixture in closure.fixtures}:
                found.setdefault(place, []).append((test, with_anyio))
        return found


def _files_served(module: Module) -> _FilesServed:
    known = _FILES_SERVED.setdefault(module.project, {})
    folder = module.directory if module.is_conftest else module.project.root_of(module.directory)
    if folder not in known:
        known[folder] = _FilesServed(module.project, folder)
    return known[folder]


def _holds(text: bytes, words: tuple[bytes, ...]) -> bool:
    return any(word in text for word in words)


def modules_in_sight(module: Module, *words: bytes) -> Iterator[Module]:
    """The module itself and, where its fixtures serve other files, those that hold one of the words."""
    return module.fact(_Sight).modules(words)


def is_pytest_asyncio_at_work(module: Module) -> bool:
    """Whether pytest-asyncio runs tests in sight; False only where others do, and nothing speaks of it."""
    config = module.project.config_for(module.directory)
    if "asyncio" in config.disabled_plugins:
        return False
    if asyncio_mode(module.project, module.directory).is_auto:
        return True
    is_others = _is_anyio_auto(module) or config.trio_mode is not None
    return not is_others and module.fact(_Sight).speaks_of_pytest_asyncio


def requesting_tests(fixture: Fixture, *words: bytes) -> Iterator[tuple[Test, bool]]:
    """The tests in sight that set a fixture up, and whether an `anyio_backend` is set up with it.

    Of other files than its own only those count that hold one of the words.
    """
    sight = fixture.module.fact(_Sight)
    for module in sight.modules(words):
        yield from sight.requests(fixture, module)


def requesting_tests_anywhere(fixture: Fixture) -> Iterator[tuple[Test, bool]]:
    """The same for a fixture that others import: of other files those count in which a name stands that leads to it.

    Where one that leads to it is there without being asked for, no name need stand anywhere: then the files count that
    speak of pytest-asyncio.
    """
    sight = fixture.module.fact(_Sight)
    names: set[str] = set()
    seen: set[str] = set()
    todo = [fixture]
    further = names_given(fixture.module, fixture.name)
    while todo:
        searches = [tuple(sorted(name.encode(errors="replace") for name in further - names))]
        names |= further
        if any(each.is_autouse for each in todo):
            searches.append((b"mark.asyncio",))
        todo = []
        for module in chain.from_iterable(map(sight.modules, searches)):
            todo += [each for each in module.fixtures if each.name not in names and not names.isdisjoint(each.requests)]
            if module.path not in seen:
                seen.add(module.path)
                yield from sight.requests(fixture, module)
        further = frozenset(each.name for each in todo)


def names_given(module: Module, name: str) -> frozenset[str]:
    """A name, and those under which the module or files that it serves import what has it."""
    return frozenset({name}).union(
        alias.asname
        for other in modules_in_sight(module, f"{name} as ".encode(errors="replace"))
        for node in other.own_from_imports
        for alias in node.names
        if alias.name == name and alias.asname
    )


def is_asked_for_by_asyncio_tests(fixture: Fixture) -> bool:
    """Whether pytest-asyncio runs a test that sets a fixture up, in its own file or in one that speaks of it.

    Not one that draws anyio in itself: for that anyio awaits the fixtures.
    """
    sight = fixture.module.fact(_Sight)
    names = sight.names_leading_to.get(fixture.place, ())
    is_anyios = _asks_for_backend(fixture)
    return any(
        test.is_async and (is_anyios or not with_anyio) and runner_of(test).runs is Runs.ASYNCIO
        for module in sight.modules((b"mark.asyncio",), names)
        for test, with_anyio in sight.requests(fixture, module)
    )


def who_awaits_for_requesters(fixture: Fixture, *words: bytes) -> Iterator[Runs]:
    """Who would await an async fixture of pytest's own for the tests that ask for it: who runs them.

    But for a test that draws anyio in itself, anyio does, also where pytest-asyncio runs the test.
    """
    # One that asks for the backend itself is meant for anyio's tests alone, though it draws anyio into others as well.
    is_anyios = _asks_for_backend(fixture)
    for test, with_anyio in requesting_tests(fixture, *words):
        if with_anyio and not (is_anyios and test.is_async):
            yield Runs.ANYIO
        else:
            yield runner_of(test).runs if test.is_async else Runs.NOBODY


def _draws_anyio_in(test: Test) -> bool:
    """Whether the backend comes with the test itself.

    Anyio's mark asks for it, and its mode does so for all, but only on coroutine functions.
    """
    if "anyio_backend" in test.parametrized:
        return True
    if test.marks.has("anyio"):
        return test.is_async or test.function.may_become_async
    if not test.is_async:
        return False
    return runner_of(test).runs is Runs.ANYIO or (test.kind is ClassKind.PLAIN and _is_anyio_auto(test.module))


def _asks_for_backend(fixture: Fixture) -> bool:
    return "anyio_backend" in fixture.module.fixture_graph.closure_of_fixture(fixture).names


def is_asked_for_with_anyio(fixture: Fixture) -> bool:
    """Whether anyio takes an async fixture over for all tests in sight that ask for it, whatever decorator it has."""
    if _asks_for_backend(fixture):
        return True
    is_asked_for = False
    for _, with_anyio in requesting_tests_of_anyio(fixture):
        if not with_anyio:
            return False
        is_asked_for = True
    return is_asked_for


def _is_anyio_auto(module: Module) -> bool:
    mode = module.project.config_for(module.directory).anyio_mode
    return mode is not None and mode.value == "auto"


def _words_of_anyio(module: Module) -> tuple[bytes, ...]:
    """What a file holds that has tests which anyio runs."""
    return (*ANYIO_WORDS, b"async def test") if _is_anyio_auto(module) else ANYIO_WORDS


def requesting_tests_of_anyio(fixture: Fixture) -> Iterator[tuple[Test, bool]]:
    """The tests in sight that set a fixture up, of other files those that have tests which anyio runs."""
    return requesting_tests(fixture, *_words_of_anyio(fixture.module))


def is_run_on_backend_unasked(fixture: Fixture) -> bool:
    """Whether anyio is to set up an async fixture that no test in sight asks for, as far as anything tells.

    For a test that draws the backend in, anyio is first, whatever pytest-asyncio's mode and the decorator are.
    """
    module = fixture.module
    graph = module.fixture_graph
    if _asks_for_backend(fixture):
        return True
    is_pytests = fixture.library == "pytest" and asyncio_mode(module.project, module.directory).is_strict
    return is_pytests and graph.is_in_sight("anyio_backend", fixture.klass)
