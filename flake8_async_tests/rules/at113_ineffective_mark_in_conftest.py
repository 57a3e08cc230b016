"""AT113: an asyncio mark that a conftest.py gives in a way, or at a time, that does nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.requesters import modules_in_sight
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import asyncio_mode
from flake8_async_tests.source.marks import mark_of, marks_in_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_HOOK = "pytest_collection_modifyitems"
_TOO_LATE_SINCE = (0, 23)
_NOT_NEEDED = "leave it out, for asyncio_mode is auto"
_FOR_ALL_IN_A_FILE = "set asyncio_mode = auto, or put pytestmark into each test file"


@rule("AT113", "ineffective-mark-in-conftest", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    if not module.is_conftest:
        return
    is_auto = asyncio_mode(module.project, module.directory).is_auto
    for node in module.scope.of(ast.Assign, ast.AnnAssign, ast.AugAssign):
        assert isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
        name = _mark_in_pytestmark(module, node)
        if name:
            yield Finding(
                node,
                f"pytestmark in a conftest.py marks nothing, so the {name} mark has no effect"
                f" ({_NOT_NEEDED if is_auto and name == 'asyncio' else _FOR_ALL_IN_A_FILE})",
            )
    if module.options.pytest_asyncio < _TOO_LATE_SINCE:
        return
    for call in module.method_calls("add_marker"):
        if _stands_in_the_hook(call) and _adds_asyncio(call):
            remedy = _remedy(call, module.fact(_asks_for_async_tests), is_auto)
            if remedy:
                yield Finding(
                    call.node,
                    "asyncio mark is added too late: since pytest-asyncio 0.23 its tests are chosen before"
                    f" {_HOOK} is called ({remedy})",
                )


def _mark_in_pytestmark(module: Module, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> str:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value is None or not any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in targets):
        return ""
    marks = marks_in_values(module, [node.value], module.scope).named("asyncio", "anyio")
    return marks[0].name if marks else ""


def _stands_in_the_hook(call: Call) -> bool:
    scope: Scope | None = call.scope
    while scope is not None:
        if scope.is_function and scope.parent is call.module.scope:
            function = call.module.function_at(scope)
            return function is not None and function.name == _HOOK
        scope = scope.parent
    return False


def _adds_asyncio(call: Call) -> bool:
    argument = call.argument(0, "marker")
    if argument is None:
        return False
    mark = mark_of(call.module, argument, call.scope)
    if mark is not None:
        return mark.name == "asyncio"
    value = call.module.value_of(argument, call.scope)
    return isinstance(value, ast.Constant) and value.value == "asyncio"


def _remedy(call: Call, for_async_tests: bool, is_auto: bool) -> str:
    """The one use that works: another loop scope, put first, which all tests get that pytest-asyncio runs anyway."""
    sets_scope = _may_set_loop_scope(call)
    if _is_put_first(call) and (for_async_tests or sets_scope):
        return ""
    if sets_scope and call.module.fact(_serves_tests_with_shared_marks):
        return ""
    if for_async_tests or (sets_scope and is_auto):
        return "pass append=False, if it is about the loop scope"
    return _NOT_NEEDED if is_auto else "set asyncio_mode = auto"


def _may_set_loop_scope(call: Call) -> bool:
    argument = call.argument(0, "marker")
    mark = mark_of(call.module, argument, call.scope) if argument is not None else None
    return mark is not None and mark.has_arguments


def _serves_tests_with_shared_marks(conftest: Module) -> bool:
    """Whether a test in sight is marked asyncio by its class or module alone.

    A mark of its own goes before these, however late it comes and wherever it is put among its own.
    """
    return any(
        test.marks.has("asyncio") and not next(test.levels_of_marks(test.klass)).has("asyncio")
        for module in modules_in_sight(conftest, b"mark.asyncio")
        for test in module.async_tests
    )


def _is_put_first(call: Call) -> bool:
    append = call.argument(1, "append")
    return isinstance(append, ast.Constant) and append.value is False


def _asks_for_async_tests(module: Module) -> bool:
    """Whether the file has anything to do with `is_async_test`, be it in a helper of the hook."""
    if module.imports("pytest_asyncio.is_async_test", "pytest_asyncio.plugin.is_async_test"):
        return True
    return any(isinstance(node, ast.Attribute) and node.attr == "is_async_test" for node in ast.walk(module.tree))
