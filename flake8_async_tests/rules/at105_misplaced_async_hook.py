"""AT105: an asynchronous unittest hook where unittest does not look for one, or not for that one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_before, unsafe
from flake8_async_tests.inference.coroutines.known import coroutine_function_called
from flake8_async_tests.inference.values.receivers import names_asked_for
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.rule import Fix
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module

_HOOKS = frozenset({"asyncSetUp", "asyncTearDown"})
_NO_HOOKS = {"asyncSetUpClass": "setUpClass", "asyncTearDownClass": "tearDownClass"}


@rule("AT105", "misplaced-async-hook", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not module.matches_python_files or module.is_switched_off:
        return
    uses = _Uses(module)
    for function in module.functions:
        if function.name not in _HOOKS and function.name not in _NO_HOOKS:
            continue
        klass = function.klass
        if klass is None or module.is_fixture(function) or not function.keeps_its_nature or function.is_replaced:
            continue
        users = klass.collected_users_of(function)
        if users and all(user.kind is not ClassKind.UNKNOWN for user in users):
            message = _misplaced(function, users, uses)
            if message:
                yield Finding(function.node, message, _fix(function, users))


def _fix(function: Function, users: tuple[Class, ...]) -> Fix | None:
    """The `async` that a hook lacks where it stands in the right class and leaves nothing for others to await."""
    if function.name not in _HOOKS or function.is_async or any(user.kind is not ClassKind.ISOLATED for user in users):
        return None
    returns = function.scope.of(ast.Return)
    if function.is_generator or any(isinstance(node, ast.Return) and node.value is not None for node in returns):
        return None
    calls = [node for node in function.scope.of(ast.Call) if isinstance(node, ast.Call)]
    if any(coroutine_function_called(function.module.call_at(call, function.scope)) for call in calls):
        return None
    return unsafe(insert_before(function.node, "async "))


def _misplaced(function: Function, users: tuple[Class, ...], uses: _Uses) -> str:
    by_kind = {user.kind: user for user in reversed(users)}
    isolated = by_kind.get(ClassKind.ISOLATED)
    testcase = by_kind.get(ClassKind.TESTCASE)
    if function.name in _NO_HOOKS:
        if by_kind.keys() == {ClassKind.PLAIN} or uses.have(function, users):
            return ""
        sync = _NO_HOOKS[function.name]
        return f"{function.name} is no hook of unittest and never called (use {sync} with asyncio.run in it)"
    if isolated is not None:
        if function.is_async or function.may_become_async:
            return ""
        return f"{function.name} is not async, so every test of {isolated.name} fails (make it async def)"
    if uses.have(function, users):
        return ""
    because = f"{testcase.name} is a plain TestCase" if testcase else f"{users[0].name} is no unittest class"
    return f"{function.name} is never called: {because} (inherit from unittest.IsolatedAsyncioTestCase)"


class _Uses:
    """The hooks that the code of a file calls, or hands on to be called, by itself."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._by_class: dict[Class, set[str]] = {}

    def have(self, hook: Function, users: tuple[Class, ...]) -> bool:
        """Whether something in the classes of a hook uses it, or something elsewhere that may have one of them."""
        module = self._module
        if any(not _is_own(call.node) for call in module.method_calls(hook.name)):
            return True
        conftests = module.project.conftests(module.directory).modules
        if any(conftest.method_calls(hook.name) for conftest in conftests):
            return True
        if any(hook.name in names_asked_for(each) for each in (module, *conftests)):
            return True
        return any(hook.name in self._in_class(klass) for user in users for klass in (*user.lineage, *user.subclasses))

    def _in_class(self, klass: Class) -> set[str]:
        found = self._by_class.get(klass)
        if found is None:
            found = self._by_class[klass] = set()
            for method in self._module.functions_in(klass.scope):
                for node in ast.walk(method.node):
                    # An overriding hook that passes the call on to the one that it overrides is no use of it.
                    if isinstance(node, ast.Attribute) and not (node.attr == method.name and _is_super(node.value)):
                        found.add(node.attr)
        return found


def _is_own(call: ast.Call) -> bool:
    """Whether a call is one of the class in which it stands, or of a base of it."""
    receiver = receiver_of(call)
    if isinstance(receiver, ast.Name):
        return receiver.id in ("self", "cls")
    return receiver is not None and _is_super(receiver)


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
