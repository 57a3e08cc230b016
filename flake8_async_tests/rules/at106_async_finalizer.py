"""AT106: an async function is registered as a clean-up with something that never awaits it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines.known import coroutine_function_called, coroutine_function_named
from flake8_async_tests.inference.values.flow import bindings_at, class_of_parameter
from flake8_async_tests.inference.values.receivers import class_of_receiver
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_FUNCTIONS = ("atexit.register", "unittest.addModuleCleanup")
_METHODS = ("addAsyncCleanup", "addClassCleanup", "addCleanup", "addfinalizer", "callback")
_STACKS = frozenset({"contextlib.AsyncExitStack", "contextlib.ExitStack"})
# In an IsolatedAsyncioTestCase these await what they call; a lambda is no coroutine function to them.
_AWAITING = frozenset({"addAsyncCleanup", "addCleanup"})
# These give what a stack gives that is entered: the stack itself.
_ENTERING = frozenset(
    {"enterAsyncContext", "enterClassContext", "enterContext", "enter_async_context", "enter_context"}
)
_REMEDY = {
    "addfinalizer": "let the fixture yield and await it after that",
    "callback": "use push_async_callback of an AsyncExitStack",
    "addCleanup": "use addAsyncCleanup of an IsolatedAsyncioTestCase with the function itself",
    "addAsyncCleanup": "give it the function itself and its arguments, not a lambda",
}


# What registers, as the last word of a decorator: all of these pass on the function or drop it.
_DECORATING = frozenset({*_METHODS, *(name.rpartition(".")[2] for name in _FUNCTIONS)})


@rule("AT106", "async-finalizer", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    yield from _registered_by_call(module)
    if not _DECORATING.isdisjoint(module.decorating_words):
        yield from _registered_by_decorator(module)


def _registered_by_call(module: Module) -> Iterator[Finding]:
    for call in [*module.calls(*_FUNCTIONS), *module.method_calls(*_METHODS)]:
        callback = call.argument(0, "finalizer")
        if callback is None or isinstance(callback, ast.Starred):
            continue
        # What is registered may stand in another file: asked last.
        if not _never_awaits(call, is_lambda=isinstance(_meant(module, callback, call.scope), ast.Lambda)):
            continue
        name = _coroutine_of(module, callback, call.scope)
        if name:
            yield Finding(callback, _message(name, call))


def _registered_by_decorator(module: Module) -> Iterator[Finding]:
    """`@stack.callback`, which gets the function that stands under it."""
    for function in module.functions:
        decorators = function.node.decorator_list
        if function.is_async and not function.is_generator and decorators:
            call = module.call_at(ast.Call(decorators[-1], [], []), function.outer)
            if _registers(call) and _never_awaits(call, is_lambda=False):
                yield Finding(function.node, _message(function.name, call))


def _registers(call: Call) -> bool:
    function = call.node.func
    return call.name in _FUNCTIONS or (isinstance(function, ast.Attribute) and function.attr in _METHODS)


def _message(name: str, call: Call) -> str:
    registers = call.node.func.attr if isinstance(call.node.func, ast.Attribute) else call.name
    remedy = _REMEDY.get(registers, "run it with asyncio.run in a sync function")
    return f"async {name} never runs: {registers} calls it and awaits nothing ({remedy})"


def _meant(module: Module, node: ast.expr, scope: Scope) -> ast.expr:
    return module.value_of(node, scope)


def _coroutine_of(module: Module, callback: ast.expr, scope: Scope) -> str:
    """The coroutine function that is called in the end: given itself, in a `partial`, or by a lambda."""
    name = coroutine_function_named(module, callback, scope)
    if name:
        return name
    meant = _meant(module, callback, scope)
    if isinstance(meant, ast.Call) and module.qualified(meant.func, scope) == "functools.partial" and meant.args:
        return coroutine_function_named(module, meant.args[0], scope)
    if isinstance(meant, ast.Lambda) and isinstance(meant.body, ast.Call):
        inner = next((each for each in module.scopes_within(scope) if each.node is meant), None)
        return coroutine_function_called(module.call_at(meant.body, inner)) if inner is not None else ""
    return ""


def _never_awaits(call: Call, *, is_lambda: bool) -> bool:
    if call.name in _FUNCTIONS:
        return True
    receiver = receiver_of(call.node)
    assert isinstance(call.node.func, ast.Attribute)
    method = call.node.func.attr
    if method == "addfinalizer":
        return _is_request(call, receiver)
    if method == "callback":
        return receiver is not None and _is_exit_stack(call, receiver)
    kinds = _kinds_of_case(call, receiver)
    if ClassKind.ISOLATED in kinds and method in _AWAITING:
        return is_lambda
    return method != "addAsyncCleanup" and bool(kinds) and kinds <= {ClassKind.TESTCASE, ClassKind.ISOLATED}


def _kinds_of_case(call: Call, receiver: ast.expr | None) -> set[ClassKind]:
    """The kinds of the test cases on which a method is called: `self`, `cls`, or a class."""
    klass = class_of_receiver(call.module, receiver, call.scope) if receiver is not None else None
    if klass is None:
        return set()
    if klass.kind is not ClassKind.PLAIN:
        return {klass.kind}
    # It may be there to be mixed into test cases.
    return {each.kind for each in klass.subclasses} - {ClassKind.PLAIN}


def _is_request(call: Call, receiver: ast.expr | None) -> bool:
    """Whether it is pytest's `request`, or a node of it: a parameter of that name, of the function or one around it."""
    if isinstance(receiver, ast.Attribute) and receiver.attr in ("node", "session"):
        receiver = receiver.value
    if not isinstance(receiver, ast.Name) or receiver.id != "request":
        return False
    owner = call.module.names.binding_scope("request", call.scope)
    return owner is not None and all(isinstance(binding, ast.arg) for binding in owner.bindings["request"])


def _is_exit_stack(call: Call, receiver: ast.expr) -> bool:
    bindings = bindings_at(call.module, receiver, call.scope)
    return bool(bindings) and all(_holds_exit_stack(call.module, binding) for binding in bindings)


def _holds_exit_stack(module: Module, binding: Binding) -> bool:
    """Whether a name got a new stack, one that something else entered, or is a parameter that is annotated as one."""
    if isinstance(binding.node, ast.arg):
        return class_of_parameter(module, binding) in _STACKS
    value = binding.value.value if isinstance(binding.value, ast.Await) else binding.value
    if isinstance(value, ast.Name):
        value = module.value_of(value, binding.scope)
    if not isinstance(value, ast.Call):
        return False
    if word_of(value.func) in _ENTERING and value.args:
        value = value.args[0]
    return isinstance(value, ast.Call) and module.qualified(value.func, binding.scope) in _STACKS
