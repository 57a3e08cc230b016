"""Functions that are handed to somebody who calls them where their failure reaches no test."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import loop_calls
from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced, path_may_be_replaced
from flake8_async_tests.inference.tasks.known import is_future
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.record import record
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# At which position a loop's method takes its callback.
SCHEDULERS = {"call_soon": 0, "call_soon_threadsafe": 0, "call_later": 1, "call_at": 1}
A_THREAD = "a thread"
_THREADS = {"threading.Thread": (1, "target"), "threading.Timer": (1, "function")}
HANDING_OVER = (*SCHEDULERS, "add_done_callback", "run_in_executor", *_THREADS)
"""What is called, or the methods, to hand over a callback."""
# By these methods something that others look at learns that the callback came so far.
_TELLING = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "extend",
        "insert",
        "notify",
        "notify_all",
        "put",
        "put_nowait",
        "release",
        "set",
        "set_exception",
        "set_result",
        "setdefault",
        "update",
    }
)
# How many partials and lambdas around each other are opened.
_DEPTH = 4


@record
class Callback:
    """A function of this file, by its scope, who calls it, and what hands it over."""

    scope: Scope
    caller: str
    handed_over_by: Call

    @property
    def giver(self) -> Scope:
        return self.handed_over_by.scope

    @property
    def may_be_kept_from_caller(self) -> bool:
        """Whether what it is handed to may be a fake."""
        return function_may_be_replaced(self.handed_over_by)


def lost_callbacks(module: Module) -> Iterator[Callback]:
    """The functions and lambdas of this file that are handed to an event loop, a future, a thread or an executor."""
    for call, callback, caller in _handed_over(module):
        if callback is not None:
            for scope in functions_behind(module, callback, call.scope):
                yield Callback(scope, caller, call)


def _handed_over(module: Module) -> Iterator[tuple[Call, ast.expr | None, str]]:
    for method, position in SCHEDULERS.items():
        for call in loop_calls(module, method):
            yield call, call.argument(position, "callback"), f"loop.{method}()"
    for call in module.method_calls("add_done_callback"):
        receiver = receiver_of(call.node)
        if receiver is not None and is_future(module, receiver, call.scope):
            yield call, call.argument(0, "fn"), "add_done_callback()"
    for call in loop_calls(module, "run_in_executor"):
        if call.is_statement:
            yield call, call.argument(1, "func"), "an executor"
    for call in module.calls(*_THREADS):
        if not path_may_be_replaced(module, "threading.excepthook", call.scope):
            yield call, call.argument(*_THREADS[call.name]), A_THREAD


def functions_behind(module: Module, callback: ast.expr, scope: Scope) -> Iterator[Scope]:
    """The scopes of what is called: a function by name or through `self.`, in a `partial`, in or behind a lambda."""
    for _ in range(_DEPTH):
        callback = module.value_of(callback, scope)
        if isinstance(callback, ast.Lambda):
            inner = next(each for each in module.scopes_within(module.scope) if each.node is callback)
            yield inner
            scope, callback = inner, callback.body
            if not isinstance(callback, ast.Call):
                return
            callback = callback.func
        elif isinstance(callback, ast.Call):
            if module.qualified(callback.func, scope) != "functools.partial" or not callback.args:
                return
            callback = callback.args[0]
        else:
            function = function_named(module, callback, scope)
            if function is not None and not function.is_async and all(map(_only_binds, function.decorators)):
                yield function.scope
            return


def _only_binds(decorator: Decorator) -> bool:
    return decorator.name in ("builtins.classmethod", "builtins.staticmethod")


def function_named(module: Module, node: ast.expr, scope: Scope) -> Function | None:
    if isinstance(node, ast.Name):
        return module.function_by_name(node, scope)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return _method_of_first_parameter(module, node.value.id, node.attr, scope)
    return None


def _method_of_first_parameter(module: Module, name: str, method: str, scope: Scope) -> Function | None:
    """`self.method`, also where a function nested in a method says so."""
    owner = module.names.binding_scope(name, scope)
    function = module.function_at(owner)
    if function is None or function.klass is None or function.parameters[:1] != (name,):
        return None
    return function.klass.find_method(method)


def last_told(module: Module, scope: Scope) -> tuple[int, int]:
    """The place at which a callback last tells of itself, so that a test can miss it when it does not come so far.

    It stores into a `nonlocal` or a `global`, or puts something into an object from outside of it.
    """
    telling = scope.of(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Call)
    places = (
        place_of(node)
        for node in telling
        if _tells(module, node, scope) and not _comes_after_failure(module, node, scope)
    )
    return max(places, default=(0, 0))


def _comes_after_failure(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a node is reached with an exception under way: in a handler or a `finally`."""
    return any(
        isinstance(around, ast.ExceptHandler)
        or (isinstance(around, (ast.Try, ast.TryStar)) and is_within(node, around.finalbody))
        for around in module.ancestors(node, scope)
    )


def _tells(module: Module, node: ast.AST, scope: Scope) -> bool:
    if isinstance(node, ast.Call):
        function = node.func
        return (
            isinstance(function, ast.Attribute)
            and function.attr in _TELLING
            and (_is_outer(module, function.value, scope) or _is_given(module, function.value, scope))
        )
    assert isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign))
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(_is_outer(module, target, scope) for target in targets)


def _is_given(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an object is one that the function is called with: `partial(callback, seen)` gives it `seen`."""
    bindings = bindings_at(module, node, scope) if isinstance(node, ast.Name) else ()
    return any(binding.kind is Kind.PARAMETER for binding in bindings)


def _is_outer(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an object, or a part of one, is from outside of the function: `seen`, `seen[0]`, `self.seen`."""
    is_part = isinstance(node, (ast.Attribute, ast.Subscript))
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    function = module.function_at(scope)
    if is_part and function is not None and function.is_method and function.parameters[:1] == (node.id,):
        return True
    return module.names.binding_scope(node.id, scope) not in (scope, None)
