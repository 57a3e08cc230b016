"""Which tests in sight ask for a fixture, and who runs these.

For a fixture of a test file the tests of that file are in sight. One of a conftest serves all below its
folder, and there only files are looked into that hold certain words: reading two thousand files costs little,
parsing them would cost more than all the rest.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from flake8_async_tests.project.fixture_graph import FixtureGraph
from flake8_async_tests.runner import Runs, asyncio_mode, runner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_MOST_FILES_PARSED = 200

_Place: TypeAlias = tuple[str, int]

_TEST_FILES: WeakKeyDictionary[Project, dict[str, tuple[str, ...]]] = WeakKeyDictionary()


class _Sight:
    """What a module's fixtures serve, looked up once for all of them."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._modules: dict[tuple[bytes, ...], tuple[Module, ...]] = {}
        self._requests: dict[str, dict[_Place, list[tuple[Test, bool]]]] = {}

    def modules(self, words: tuple[bytes, ...]) -> tuple[Module, ...]:
        """The module itself and, where its fixtures serve other files, those that hold one of the words."""
        found = self._modules.get(words)
        if found is None:
            others = () if self._module.matches_python_files else self._others(words)
            found = self._modules[words] = (self._module, *others)
        return found

    def _others(self, words: tuple[bytes, ...]) -> Iterator[Module]:
        files = self._module.project.files
        paths = (path for path in _test_files(self._module) if path != self._module.path)
        speaking = (path for path in paths if any(word in (files.read(path) or b"") for word in words))
        for path in islice(speaking, _MOST_FILES_PARSED):
            other = self._module.project.module_at(path)
            if other is not None:
                yield other

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


def modules_in_sight(module: Module, *words: bytes) -> tuple[Module, ...]:
    """The module itself and, where its fixtures serve other files, those that hold one of the words."""
    return module.fact(_Sight).modules(words)


def is_pytest_asyncio_at_work(module: Module) -> bool:
    """Whether pytest-asyncio runs tests in sight; False only where others do, and nothing speaks of it."""
    config = module.project.config_for(module.directory)
    if "asyncio" in config.disabled_plugins:
        return False
    if asyncio_mode(module.project, module.directory).is_auto:
        return True
    texts = [module.text.encode()]
    if not module.matches_python_files:
        texts += (module.project.files.read(path) or b"" for path in _test_files(module) if path != module.path)
    if any(word in text for text in texts for word in (b"mark.asyncio", b"pytest_asyncio")):
        return True
    if (config.anyio_mode is not None and config.anyio_mode.value == "auto") or config.trio_mode is not None:
        return False
    return not any(word in text for text in texts for word in (b"mark.anyio", b"mark.trio"))


def requesting_tests(fixture: Fixture, *words: bytes) -> Iterator[tuple[Test, bool]]:
    """The tests in sight that set a fixture up, and whether an `anyio_backend` is set up with it.

    Of other files than its own only those count that hold one of the words.
    """
    sight = fixture.module.fact(_Sight)
    for module in sight.modules(words):
        yield from sight.requests(fixture, module)


def runners_of_requesters(fixture: Fixture, *words: bytes) -> Iterator[Runs]:
    """Who runs the tests that ask for a fixture. A sync test is run by nobody, unless it draws anyio in."""
    for test, with_anyio in requesting_tests(fixture, *words):
        if test.is_async:
            yield runner_of(test).runs
        else:
            yield Runs.ANYIO if with_anyio else Runs.NOBODY


def _draws_anyio_in(test: Test) -> bool:
    """Whether the backend comes with the test itself: anyio's mark asks for it."""
    if "anyio_backend" in test.parametrized or test.marks.has("anyio"):
        return True
    return test.is_async and runner_of(test).runs is Runs.ANYIO


def _test_files(module: Module) -> tuple[str, ...]:
    """The files that the fixtures of a conftest, or of a module that others import, may serve."""
    project = module.project
    folder = module.directory if module.is_conftest else project.root_of(module.directory)
    known = _TEST_FILES.setdefault(project, {})
    if folder not in known:
        known[folder] = tuple(project.places.test_files(folder))
    return known[folder]


def is_asked_for_with_anyio(fixture: Fixture) -> bool:
    """Whether anyio takes an async fixture over for all tests in sight that ask for it."""
    if "anyio_backend" in fixture.module.fixture_graph.closure_of_fixture(fixture).names:
        return True
    found = [with_anyio for _, with_anyio in requesting_tests(fixture, b"anyio")]
    return bool(found) and all(found)


def is_run_by_anyio(fixture: Fixture) -> bool:
    """Whether anyio sets an async fixture up, as far as anything in sight tells."""
    module = fixture.module
    if fixture.library != "pytest" or not asyncio_mode(module.project, module.directory).is_strict:
        return False
    graph = module.fixture_graph
    if "anyio_backend" in graph.closure_of_fixture(fixture).names:
        return True
    runs = set(runners_of_requesters(fixture, b"anyio"))
    if runs:
        return Runs.ANYIO in runs
    return graph.is_in_sight("anyio_backend", fixture.klass)
