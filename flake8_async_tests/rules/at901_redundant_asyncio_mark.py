"""AT901: an asyncio mark where the mode is auto and does without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flake8_async_tests.edits import remove_mark, safe
from flake8_async_tests.loops import hook_may_ask_for_mark, loop_of_test
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import asyncio_mode
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.marks import Mark, Marks
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_Item = TypeVar("_Item")


@rule("AT901", "redundant-asyncio-mark", knows=Knows.CONFIG, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    mode = asyncio_mode(module.project, module.directory)
    if not mode.is_auto or not module.matches_python_files or module.is_conftest:
        return
    if "asyncio" in module.project.config_for(module.directory).disabled_plugins:
        return
    for what, mark in _redundant(module):
        yield Finding(
            mark.node,
            f"asyncio mark on {what} is redundant: asyncio_mode is auto ({mode.decided_by}) (remove it)",
            safe(remove_mark(module, mark)),
        )


def _redundant(module: Module) -> Iterator[tuple[str, Mark]]:
    """The marks that may go, and what each stands on."""
    of_module = _bare(module.marks)
    if of_module and _can_go(module.tests) and not _any_is_decorated(module.fact(_possible_tests)):
        yield from (("the module", mark) for mark in of_module)
    marked = [(klass, mark) for klass in module.classes for mark in _bare(klass.own_marks)]
    if marked:
        tests = _by_class((test, test.collectors) for test in module.tests)
        functions = _by_class((function, _collectors(function)) for function in module.fact(_possible_tests))
        for klass, mark in marked:
            under = tests.get(klass, [])
            may_go = klass.kind is ClassKind.PLAIN and not _is_given_more_around(klass) and _can_go(under)
            if under and may_go and not _any_is_decorated(functions.get(klass, ())):
                yield klass.name, mark
    for test in module.async_tests:
        may_go = test.kind is ClassKind.PLAIN and not _any_is_decorated([test.function])
        for mark in _bare(test.function.own_marks):
            if may_go and not _is_given_more(test) and _can_go([test]):
                yield test.function.name, mark


def _bare(marks: Marks) -> list[Mark]:
    return [mark for mark in marks.named("asyncio") if not mark.has_arguments]


def _is_given_more(test: Test) -> bool:
    """Whether a mark around the test's own has arguments, which the bare one keeps from it."""
    levels = (level for klass in (test.collectors or (None,)) for level in test.levels_of_marks(klass))
    return any(mark.has_arguments for level in levels for mark in level.named("asyncio"))


def _is_given_more_around(klass: Class) -> bool:
    marks = klass.marks + klass.module.marks
    return any(mark.has_arguments for mark in marks.named("asyncio"))


def _can_go(tests: Iterable[Test]) -> bool:
    """Whether nothing but the marks that can be seen decides about the tests: a hook may look for the mark."""
    return all(loop_of_test(test).scope is not None and not hook_may_ask_for_mark(test.module) for test in tests)


def _possible_tests(module: Module) -> list[Function]:
    """What may be a test, under decorators that nobody knows too."""
    return [
        function
        for function in module.functions
        if not function.outer.is_function and module.patterns.matches_function(function.name)
    ]


def _any_is_decorated(functions: Iterable[Function]) -> bool:
    """Whether a decorator may hide from pytest-asyncio that a function is async."""
    return any(not decorator.is_pytests_own for function in functions for decorator in function.decorators)


def _collectors(function: Function) -> tuple[Class, ...]:
    """The classes through which a function is possibly collected."""
    return (function.klass, *function.klass.subclasses) if function.klass is not None else ()


def _by_class(pairs: Iterable[tuple[_Item, tuple[Class, ...]]]) -> dict[Class, list[_Item]]:
    """What is collected through each class: through itself, a class that derives from it, or one that stands in it."""
    found: dict[Class, list[_Item]] = {}
    for item, collectors in pairs:
        classes: dict[Class, None] = {}
        for collector in collectors:
            around: Class | None = collector
            while around is not None:
                classes |= dict.fromkeys(around.lineage)
                around = around.module.class_at(around.outer)
        for klass in classes:
            found.setdefault(klass, []).append(item)
    return found
