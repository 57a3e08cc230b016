"""Whether a test lives on a clock of its own: frozen, moved by hand, or jumping ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import scopes_around
from flake8_async_tests.inference.time.own_loops import runs_on_loop_of_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_CONTROLLERS = (
    "freezegun.freeze_time",
    "time_machine.travel",
    "trio.testing.MockClock",
    "looptime.patch_event_loop",
    "aiotools.VirtualClock",
    "aiotools.timer.VirtualClock",
)
# Libraries whose loops let no time pass. They are imported for that, be it in a fixture of the loop or in a hook.
_VIRTUAL_CLOCKS = ("aiofastforward", "async_solipsism", "looptime")
# Fixtures of pytest-freezer, time-machine, pytest-trio and looptime, and the marks of the same plugins.
_FIXTURES = frozenset({"autojump_clock", "freezer", "looptime", "mock_clock", "time_machine"})
_MARKS = ("freeze_time", "looptime", "time_machine")


def is_clock_controlled(module: Module, scope: Scope) -> bool:
    """Whether the clock is taken over where a function runs: in it or around it, or by a fixture of it."""
    by_scope = module.fact(_answers_by_scope)
    if scope not in by_scope:
        by_scope[scope] = _is_controlled(module, scope)
    return by_scope[scope]


def _answers_by_scope(_: Module) -> dict[Scope, bool]:  # filled on demand
    return {}


def _is_controlled(module: Module, scope: Scope) -> bool:
    if module.imports(*_VIRTUAL_CLOCKS) or module.project.fact_of_folder(module.directory, _has_virtual_clock):
        return True
    around = set(scopes_around(scope)) - {module.scope}
    if any(call.scope in around for call in module.calls(*_CONTROLLERS)):
        return True
    if any(decorator.name in _CONTROLLERS for decorator in _decorators_of(module, around)):
        return True
    return any(_is_controlled_for(module, each) for each in around)


def _has_virtual_clock(project: Project, directory: str) -> bool:
    """Whether the tests of a folder may have one through a conftest, or through a plugin that the project asks for."""
    conftests = project.conftests(directory).modules
    return any(each.imports(*_VIRTUAL_CLOCKS) for each in conftests) or project.signs_for(directory).virtual_clock


def _decorators_of(module: Module, scopes: set[Scope]) -> Iterator[Decorator]:
    for scope in scopes:
        function = module.function_at(scope)
        if function is not None:
            yield from function.decorators
        klass = module.class_at(scope)
        if klass is not None:
            for each in klass.lineage:
                yield from each.decorators


def _is_controlled_for(module: Module, scope: Scope) -> bool:
    """Whether a test's or a fixture's own fixtures or marks take the clock over."""
    function = module.function_at(scope)
    if function is not None and runs_on_loop_of_project(module, function.klass):
        return True
    test = module.test_of(function)
    fixture = module.fixture_of(function) if function is not None else None
    if test is not None:
        if test.marks.has(*_MARKS):
            return True
        closure = module.fixture_graph.closure_of(test)
    elif fixture is not None:
        closure = module.fixture_graph.closure_of_fixture(fixture)
    else:
        return False
    return not closure.names.isdisjoint(_FIXTURES) or any(
        call.scope is each.function.scope for each in closure.fixtures for call in each.module.calls(*_CONTROLLERS)
    )
