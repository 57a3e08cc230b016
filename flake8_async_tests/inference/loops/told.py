"""Whether the loop on which something runs may have been told to do otherwise: by another task factory, a handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import outermost_function
from flake8_async_tests.inference.replacing.interception import closure_around
from flake8_async_tests.loops import loop_of_fixture, loop_of_test
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from flake8_async_tests.loops import Loop
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


def tasks_may_be_heard_of(module: Module, scope: Scope) -> bool:
    """Whether somebody is told of each task that is made on the loop, or of each failure that nobody waits for."""
    return loop_may_be_told(module, scope, "set_exception_handler", "set_task_factory", across_tests=False)


def loop_may_be_told(module: Module, scope: Scope, *methods: str, across_tests: bool = True) -> bool:
    """Whether a method of the loop may be called before or while something runs, by it or by what is set up for it.

    What another test tells a loop of its own, or a fixture that is not asked for, is of no account; nor is it what
    another test tells any loop, where nobody relies on what that has left behind.
    """
    function = outermost_function(module, scope)
    closure = closure_around(module, function, module.test_of(function))
    for home in {module: None, **{fixture.module: None for fixture in closure.fixtures}}:
        for call in home.method_calls(*methods):
            teller = outermost_function(home, call.scope)
            if teller is None or teller is function:
                return True
            is_of_another = not across_tests and home.test_of(teller) is not None
            if not is_of_another and not _tells_only_its_own(home, teller):
                return True
            if home.fixture_of(teller) in closure.fixtures:
                return True
    return False


def _tells_only_its_own(module: Module, teller: Function) -> bool:
    """Whether it is a test with a loop of its own, or a fixture of such a one, and no helper that may be called."""
    test = module.test_of(teller)
    if test is not None:
        return test.kind is ClassKind.ISOLATED or _is_of_one_test(loop_of_test(test))
    fixture = module.fixture_of(teller)
    return fixture is not None and _is_of_one_test(loop_of_fixture(fixture, module))


def _is_of_one_test(loop: Loop) -> bool:
    return loop.scope == "function"
