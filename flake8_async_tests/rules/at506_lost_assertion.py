"""AT506: an assertion stands in a callback or a thread, where its failure reaches nobody."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.told import loop_may_be_told
from flake8_async_tests.inference.places.backends import outermost_function
from flake8_async_tests.inference.places.exceptions import exceptions_caught
from flake8_async_tests.inference.places.parts import contexts_around, place_of
from flake8_async_tests.inference.tasks.callbacks import A_THREAD, HANDING_OVER, last_told, lost_callbacks
from flake8_async_tests.inference.uses.quiet import does_nothing
from flake8_async_tests.project.warning_filters import thread_exceptions_fail
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.tasks.callbacks import Callback
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_CATCHING = frozenset({"builtins.AssertionError", "builtins.Exception", "builtins.BaseException"})


@rule("AT506", "lost-assertion", knows=Knows.CONFIG, calls=HANDING_OVER)
def check(module: Module) -> Iterator[Finding]:
    seen: set[Scope] = set()
    for callback in lost_callbacks(module):
        if callback.scope in seen:
            continue
        assertions = list(_assertions_in(module, callback.scope))
        if assertions and (callback.may_be_kept_from_caller or _is_heard_of(module, callback)):
            continue
        seen.add(callback.scope)
        told_until = last_told(module, callback.scope)
        for node, said in assertions:
            if place_of(node) < told_until or _is_forwarded(module, node, callback.scope):
                continue
            yield Finding(
                node,
                f"{said} is called by {callback.caller}: its failure is only logged, and the test passes"
                " (hand the result to the test, and assert there)",
            )


def _is_heard_of(module: Module, callback: Callback) -> bool:
    """Whether the test may learn of a failure by the handler of a loop's exceptions, or pytest's of a thread's."""
    if callback.caller == A_THREAD:
        return _fails_in_thread(module, callback.giver)
    return loop_may_be_told(module, callback.giver, "set_exception_handler")


def _fails_in_thread(module: Module, giver: Scope) -> bool:
    """Whether pytest is told to make an error of what is raised in the thread that a function starts."""
    test = module.test_of(outermost_function(module, giver))
    marks = test.marks.named("filterwarnings") if test is not None else []
    given = [value for mark in marks if mark.call is not None for value in mark.call.args]
    texts = [value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return thread_exceptions_fail(module.project.config_for(module.directory), texts)


def _assertions_in(module: Module, scope: Scope) -> Iterator[tuple[ast.Assert | ast.Call, str]]:
    for node in scope.of(ast.Assert, ast.Call):
        if isinstance(node, ast.Assert):
            # `assert True` at the end of a worker is a remark that it got there: it has no failure to lose.
            if not (isinstance(node.test, ast.Constant) and node.test.value):
                yield node, "the function that holds this assertion"
        elif isinstance(node, ast.Call) and module.qualified(node.func, scope) == "pytest.fail":
            yield node, "the function that holds this pytest.fail()"


def _is_forwarded(module: Module, node: ast.Assert | ast.Call, scope: Scope) -> bool:
    """Whether the callback, or a context manager that it enters, catches the failure and does something with it."""
    return _is_caught(module, node, scope) or any(
        _catches_in_block(module, context.func, scope) for _, context in contexts_around(module, node, scope)
    )


def _is_caught(module: Module, node: ast.AST, scope: Scope) -> bool:
    return any(
        isinstance(around, (ast.Try, ast.TryStar))
        and is_within(node, around.body)
        and any(_forwards(module, handler, scope) for handler in around.handlers)
        for around in module.ancestors(node, scope)
    )


def _catches_in_block(module: Module, maker: ast.expr, scope: Scope) -> bool:
    """Whether a context manager of the file gets what is raised in its block: around its `yield`, or by `__exit__`."""
    definition = module.names.definition(maker, scope)
    if isinstance(definition, ast.ClassDef):
        return True
    function = module.function_of_node(definition) if definition is not None else None
    return function is not None and any(
        _is_caught(module, given, function.scope) for given in function.scope.of(ast.Yield)
    )


def _forwards(module: Module, handler: ast.ExceptHandler, scope: Scope) -> bool:
    caught = exceptions_caught(module, handler, scope)
    return not caught.isdisjoint(_CATCHING) and not does_nothing(module, handler.body, scope)
