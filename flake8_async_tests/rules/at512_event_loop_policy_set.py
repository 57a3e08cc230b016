"""AT512: an event loop policy is set."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import clears_up, is_expected_to_raise, place_of
from flake8_async_tests.inference.places.versions import is_for_older_versions
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.plugin_options import is_pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_REGISTERING = ("addAsyncCleanup", "addClassCleanup", "addCleanup", "addModuleCleanup", "addfinalizer", "callback")


@rule("AT512", "event-loop-policy-set", knows=Knows.FILE, calls=("asyncio.set_event_loop_policy",))
def check(module: Module) -> Iterator[Finding]:
    calls = module.calls("asyncio.set_event_loop_policy")
    for call in calls:
        if _gives_back(call, calls) or runs_on_trio(module, call.scope) or is_pytest_asyncio(module):
            continue
        if function_may_be_replaced(call) or is_expected_to_raise(module, call.node, call.scope):
            continue
        if is_for_older_versions(module, call.node, call.scope):
            continue
        yield Finding(
            call.node,
            "asyncio.set_event_loop_policy() is deprecated since Python 3.14, and pytest-asyncio overrides it (choose"
            f" the loop by {_remedy(call)})",
        )


def _remedy(call: Call) -> str:
    klass = call.function.klass if call.function is not None else None
    if klass is not None and klass.is_testcase:
        return "a loop_factory of asyncio.Runner or, from Python 3.13 on, of IsolatedAsyncioTestCase"
    return "the hook pytest_asyncio_loop_factories"


def _is_in_finalizer(call: Call) -> bool:
    """Whether it stands in a lambda or a nested function that is handed to what calls it in the end."""
    node, around = call.scope.node, call.scope.parent
    if around is None:
        return False
    name = node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
    return any(
        argument is node or (isinstance(argument, ast.Name) and argument.id == name)
        for registering in call.module.method_calls(*_REGISTERING)
        if registering.scope is around
        for argument in registering.node.args
    )


def _was_remembered(module: Module, policy: ast.expr, scope: Scope) -> bool:
    """Whether set-up put the policy that there was into a variable of the module, or on the instance."""
    if isinstance(policy, ast.Name):
        kept = _given_to_variable(module, policy.id, scope)
    else:
        kept = [(binding.value, binding.scope) for binding in bindings_at(module, policy, scope)]
    return any(
        isinstance(value, ast.Call) and module.qualified(value.func, at) == "asyncio.get_event_loop_policy"
        for value, at in kept
    )


def _given_to_variable(module: Module, name: str, scope: Scope) -> list[tuple[ast.expr | None, Scope]]:
    """What any function gives a variable of the module."""
    if module.names.binding_scope(name, scope) is not module.scope:
        return []
    return [
        (node.value, at)
        for node, at in module.of_kind(ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == name and module.names.binding_scope(name, at) is module.scope
    ]


def _gives_back(call: Call, calls: list[Call]) -> bool:
    """Whether an earlier policy is put back, or the default one: in teardown, or after another one in the function."""
    policy = call.argument(0, "policy")
    earlier = call.module.value_of(policy, call.scope) if policy is not None else None
    if isinstance(earlier, ast.Call):
        return call.module.qualified(earlier.func, call.scope) == "asyncio.get_event_loop_policy"
    if policy is not None and _was_remembered(call.module, policy, call.scope):
        return True
    if not isinstance(policy, ast.Constant) or policy.value is not None:
        return False
    if clears_up(call.module, call.node, call.scope) or _is_in_finalizer(call):
        return True
    return any(other.scope is call.scope and place_of(other.node) < place_of(call.node) for other in calls)
