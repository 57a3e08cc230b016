"""AT110: something of pytest's on a test method of a TestCase, where it does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.fixtures import injected_mocks
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

# These fill parameters in a way of their own.
_FILLING = frozenset({"hypothesis.given", "unittest.mock.patch.multiple"})


@rule("AT110", "pytest-feature-in-testcase", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for test in module.tests:
        klass = test.klass
        if klass is None or test.kind not in (ClassKind.TESTCASE, ClassKind.ISOLATED):
            continue
        parameter = _first_unfilled_parameter(test, klass)
        if parameter is not None:
            yield Finding(
                parameter,
                f'parameter "{parameter.arg}" of {test.function.name} is never filled: {klass.name} is a TestCase,'
                " whose methods get no fixtures or parameters (use an autouse fixture that sets an attribute, or subTest)",
            )
        for mark in test.function.own_marks.named("asyncio", "anyio"):
            # anyio does run the marked async methods of a plain TestCase.
            if mark.name == "anyio" and test.is_async and test.kind is ClassKind.TESTCASE:
                continue
            remedy = "remove it" if test.kind is ClassKind.ISOLATED else "inherit from unittest.IsolatedAsyncioTestCase"
            yield Finding(
                mark.node,
                f"{mark.name} mark on {test.function.name} has no effect: {klass.name} is a TestCase ({remedy})",
            )


def _first_unfilled_parameter(test: Test, klass: Class) -> ast.arg | None:
    decorators = [*test.function.decorators, *(each for owner in klass.lineage for each in owner.decorators)]
    if any(decorator.name in _FILLING or decorator.name == "builtins.staticmethod" for decorator in decorators):
        return None
    arguments = test.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        positional = positional[: -len(arguments.defaults)]
    unfilled = positional[1 + injected_mocks(test.function) :]
    unfilled += [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return unfilled[0] if unfilled else None
