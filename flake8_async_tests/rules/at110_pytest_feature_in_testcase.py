"""AT110: something of pytest's on a test method of a TestCase, where it does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_decorator, safe, unsafe
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.fixtures import MOCK_DEFAULT, injected_mocks
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.marks import Mark
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

# Besides marks, and `patch` whose arguments are counted, these certainly pass nothing to what they decorate.
_PASSES_NOTHING = frozenset(
    {
        "builtins.classmethod",
        "builtins.staticmethod",
        "dataclasses.dataclass",
        "functools.total_ordering",
        "time_machine.travel",
        "typing.final",
        "typing.no_type_check",
        "typing.override",
        "typing_extensions.final",
        "typing_extensions.override",
        "unittest.expectedFailure",
        "unittest.skip",
        "unittest.skipIf",
        "unittest.skipUnless",
    }
)


@rule("AT110", "pytest-feature-in-testcase", knows=Knows.FILE, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    for test in module.tests_where(_may_be_told_of):
        klass = test.klass
        if klass is None or test.kind not in (ClassKind.TESTCASE, ClassKind.ISOLATED):
            continue
        parameter = _first_unfilled_parameter(test, klass)
        if parameter is not None:
            yield Finding(
                parameter,
                f'parameter "{parameter.arg}" of {test.function.name} is never filled: {klass.name} is a TestCase,'
                " whose methods get no fixtures or parameters (use an autouse fixture that sets an attribute,"
                " or subTest)",
            )
        for mark in test.function.own_marks.named("asyncio", "anyio"):
            if mark.name == "asyncio" or not test.is_async:
                yield Finding(mark.node, _without_effect(mark.name, test, klass), _fix(test, mark))
            # anyio does run the marked async methods of a plain TestCase.
            elif test.kind is ClassKind.ISOLATED:
                yield Finding(
                    mark.node,
                    f"anyio mark on {test.function.name} makes anyio run it instead of {klass.name}, without setUp"
                    " and asyncSetUp, from anyio 4.13 on, and has no effect before (remove it)",
                    unsafe(remove_decorator(module, mark.node)),
                )


def _may_be_told_of(function: Function) -> bool:
    """Whether a method asks for something or is decorated, and a TestCase has it."""
    if function.klass is None:
        return False
    arguments = function.node.args
    has_more = len(arguments.posonlyargs) + len(arguments.args) > 1 or bool(arguments.kwonlyargs)
    if not has_more and not function.node.decorator_list:
        return False
    return any(klass.is_testcase for klass in function.klass.family)


def _fix(test: Test, mark: Mark) -> Fix | None:
    return safe(remove_decorator(test.module, mark.node)) if test.kind is ClassKind.ISOLATED else None


def _without_effect(mark: str, test: Test, klass: Class) -> str:
    never_awaited = test.is_async and test.kind is ClassKind.TESTCASE
    remedy = "inherit from unittest.IsolatedAsyncioTestCase" if never_awaited else "remove it"
    return f"{mark} mark on {test.function.name} has no effect: {klass.name} is a TestCase ({remedy})"


def _first_unfilled_parameter(test: Test, klass: Class) -> ast.arg | None:
    decorators = [*test.function.decorators, *(each for owner in klass.lineage for each in owner.decorators)]
    # A test that is skipped whatever happens is not called without it either.
    if test.is_skipped or any(_may_pass_something(decorator) for decorator in decorators):
        return None
    arguments = test.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        positional = positional[: -len(arguments.defaults)]
    is_static = any(decorator.name == "builtins.staticmethod" for decorator in test.function.decorators)
    unfilled = positional[(0 if is_static else 1) + injected_mocks(test.function) :]
    unfilled += [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return unfilled[0] if unfilled else None


def _may_pass_something(decorator: Decorator) -> bool:
    """Whether a decorator may fill parameters in a way of its own."""
    if decorator.is_mark or decorator.name in _PASSES_NOTHING:
        return False
    if decorator.name == "freezegun.freeze_time":
        call = decorator.call
        return call is not None and any(keyword.arg in (None, "as_arg", "as_kwarg") for keyword in call.keywords)
    return not decorator.is_patch or (decorator.name == "unittest.mock.patch.multiple" and _passes_mocks(decorator))


def _passes_mocks(multiple: Decorator) -> bool:
    """Whether `patch.multiple` makes mocks of its own, which it passes by their names."""
    keywords = multiple.call.keywords if multiple.call is not None else ()
    return any(keyword.arg is None or multiple.qualified(keyword.value) == MOCK_DEFAULT for keyword in keywords)
