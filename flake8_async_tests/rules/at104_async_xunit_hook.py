"""AT104: an xunit-style hook that is `async def`, and that nobody awaits."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_await, rename_attribute, rename_function, unsafe
from flake8_async_tests.inference.values.receivers import names_asked_for
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.functions import Class, ClassKind
from flake8_async_tests.source.outside import set_from_outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.rule import Edit
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

_TESTCASE_HOOKS = frozenset({"setUp", "tearDown", "setUpClass", "tearDownClass"})
_CLASS_HOOKS = frozenset({"setup_method", "teardown_method", "setup_class", "teardown_class"})
_MODULE_HOOKS = frozenset(
    {
        "setUpModule",
        "tearDownModule",
        "setup_module",
        "teardown_module",
        "setup_function",
        "teardown_function",
    }
)
_ASYNC_HOOKS = {"setUp": "asyncSetUp", "tearDown": "asyncTearDown"}
_REMEDY = {
    "setUp": "asyncSetUp of an IsolatedAsyncioTestCase",
    "tearDown": "asyncTearDown of an IsolatedAsyncioTestCase",
    "setUpClass": "a sync hook that calls asyncio.run",
    "tearDownClass": "a sync hook that calls asyncio.run",
}


@rule("AT104", "async-xunit-hook", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not module.matches_python_files or module.is_switched_off:
        return
    for function in module.functions:
        if _is_called_as_a_hook(function) and not module.is_fixture(function) and function.keeps_its_nature:
            remedy = _REMEDY.get(function.name, "an autouse async fixture")
            yield Finding(
                function.node,
                f"async {function.name} is called but never awaited, so it does nothing (use {remedy})",
                _fix(function),
            )


def _fix(function: Function) -> Fix | None:
    """The asynchronous hook of unittest, where there is one and nobody calls this one by its name."""
    klass = function.klass
    name = _ASYNC_HOOKS.get(function.name)
    if klass is None or name is None or function.is_generator:
        return None
    module = function.module
    users = klass.collected_users_of(function)
    # One that is there already would hide this one, or be hidden: in another base of a class that inherits both, too.
    relatives = (*klass.lineage, *klass.subclasses, *(each for user in users for each in user.lineage))
    if any(name in each.methods for each in relatives):
        return None
    if function.name in names_asked_for(module):
        return None
    calls = module.method_calls(function.name)
    if any(user.kind is not ClassKind.ISOLATED for user in users):
        return None
    if not all(_is_of_super(function, call) for call in calls):
        return None
    # What unittest's own hook is called for, its asynchronous one is there for as well.
    of_super = [edit for call in calls for edit in _asynchronously(call, name)]
    return unsafe(rename_function(module, function.node, name), *of_super)


def _is_of_super(hook: Function, call: Call) -> bool:
    """Whether a hook calls that of unittest itself."""
    owner = receiver_of(call.node)
    is_super = isinstance(owner, ast.Call) and call.module.qualified(owner.func, call.scope) == "builtins.super"
    if not is_super or call.function is not hook or hook.klass is None or call.node.args or call.node.keywords:
        return False
    bases = [call.module.qualified(base, hook.klass.outer) for base in hook.klass.node.bases]
    return bases == ["unittest.IsolatedAsyncioTestCase"]


def _asynchronously(call: Call, name: str) -> tuple[Edit | None, ...]:
    assert isinstance(call.node.func, ast.Attribute)
    renamed = rename_attribute(call.node.func, name)
    return (renamed,) if call.is_awaited else (renamed, *insert_await(call.module, call.node, call.scope))


def _is_called_as_a_hook(function: Function) -> bool:
    if not function.is_async:
        return False
    if function.name in _MODULE_HOOKS:
        return function.outer is function.module.scope and not function.is_replaced
    if function.name not in _TESTCASE_HOOKS | _CLASS_HOOKS or function.klass is None or function.is_replaced:
        return False
    if function.name in set_from_outside(function.module, function.klass.name, function.klass.outer):
        return False
    users = function.klass.collected_users_of(function)
    if any(user.kind is ClassKind.UNKNOWN for user in users):
        return False
    return any(_calls(user, function.name) for user in users)


def _calls(klass: Class, hook: str) -> bool:
    return klass.is_testcase or hook in _CLASS_HOOKS
