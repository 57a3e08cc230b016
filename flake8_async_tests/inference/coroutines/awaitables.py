"""Whether a value can be awaited, where that is certain."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines.known import coroutine_function_called, coroutine_function_named
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.places.exceptions import is_exception
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT
from flake8_async_tests.inference.values.bindings import alternatives_of
from flake8_async_tests.inference.values.flow import Kind, bindings_at, flow_of
from flake8_async_tests.lazy import lazy
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_DEPTH = 12

_FUTURES = frozenset({"asyncio.Future", "asyncio.create_task", "asyncio.ensure_future", "asyncio.gather"})
_METHODS_THAT_MAKE_FUTURES = frozenset({"create_future", "create_task", "run_in_executor"})
# What these make cannot be awaited.
_PLAIN = frozenset(
    {
        "collections.OrderedDict",
        "collections.defaultdict",
        "datetime.date",
        "datetime.datetime",
        "datetime.datetime.now",
        "datetime.timedelta",
        "decimal.Decimal",
        "httpx.Response",
        "io.BytesIO",
        "io.StringIO",
        "pathlib.Path",
        "types.SimpleNamespace",
        "uuid.UUID",
        "uuid.uuid4",
    }
)
_PLAIN_BUILTINS = frozenset(
    ("bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "len", "list", "object", "set", "str", "tuple")
)
# What changes a list, a set, a dictionary or a queue gives None.
_CHANGING = frozenset(
    ("add", "append", "appendleft", "clear", "discard", "extend", "insert", "remove", "reverse", "sort", "update")
)
_COLLECTIONS = frozenset(("builtins.dict", "builtins.list", "builtins.set", "collections.deque"))
_COLLECTING = (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Set, ast.SetComp)
_DISPLAYS = (
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.DictComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.Lambda,
    ast.List,
    ast.ListComp,
    ast.Set,
    ast.SetComp,
    ast.Tuple,
)
_DIVISIONS = (ast.Div, ast.FloorDiv)


class Awaitable(Enum):
    """Whether something can be awaited."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def awaitability_of(module: Module, node: ast.expr, scope: Scope) -> Awaitable:
    """Whether the value of an expression can be awaited."""
    return module.fact(_Judge).of(node, scope)


def awaitability_of_result(module: Module, node: ast.expr, scope: Scope) -> Awaitable:
    """Whether what an expression's value gives can be awaited, when it is called or, for a list, taken in turn."""
    return module.fact(_Judge).of_result(node, scope)


def never_gives_awaitable(module: Module, mock: Mock, scope: Scope) -> bool:
    """Whether neither its defaults nor anything that it is told make a mock's call give something awaitable."""
    if not mock.kind.is_sync or not mock.is_open:
        return False
    mocks = mocks_of(module)
    effects = mocks.ever_given(mock, SIDE_EFFECT, scope)
    results = mocks.ever_given(mock, RETURN_VALUE, scope)
    if None in effects or None in results:
        return False
    judged = [awaitability_of_result(module, each.value, each.scope) for each in effects if each is not None]
    judged += [awaitability_of(module, each.value, each.scope) for each in results if each is not None]
    return all(awaitable is Awaitable.NO for awaitable in judged)


class _Judge:
    def __init__(self, module: Module) -> None:
        self._module = module
        self._depth = 0
        self._known: dict[ast.expr, Awaitable] = {}

    def of(self, node: ast.expr, scope: Scope) -> Awaitable:
        if self._depth > _DEPTH:
            return Awaitable.UNKNOWN
        found = self._known.get(node)
        if found is None:
            self._known[node] = Awaitable.UNKNOWN
            self._depth += 1
            found = self._known[node] = self._of(node, scope)
            self._depth -= 1
        return found

    def _of(self, node: ast.expr, scope: Scope) -> Awaitable:
        if isinstance(node, _DISPLAYS):
            return Awaitable.NO
        mocks = mocks_of(self._module).at(node, scope)
        if mocks:
            # An AsyncMock cannot be awaited either. But whoever put one there meant what it gives.
            is_meant = any(not mock.kind.is_sync or not mock.is_open for mock in mocks)
            return Awaitable.UNKNOWN if is_meant else Awaitable.NO
        if isinstance(node, ast.Call):
            return self._of_call(node, scope)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return _joined(self._of_binding(binding) for binding in bindings_at(self._module, node, scope))
        if isinstance(node, (ast.BoolOp, ast.IfExp)):
            return _joined(self.of(value, scope) for value in alternatives_of(node))
        # `not x` is a bool, and `"%s" % x` a text.
        is_plain = (
            isinstance(node.op, ast.Not)
            if isinstance(node, ast.UnaryOp)
            else isinstance(node, ast.BinOp) and isinstance(node.left, _DISPLAYS) and not _raises(node)
        )
        return Awaitable.NO if is_plain else Awaitable.UNKNOWN

    def _of_binding(self, binding: Binding) -> Awaitable:
        if binding.kind is Kind.DEFINED:
            return Awaitable.NO
        if binding.kind is Kind.ASSIGNED and binding.value is not None:
            return self.of(binding.value, binding.scope)
        return Awaitable.UNKNOWN

    def _of_call(self, node: ast.Call, scope: Scope) -> Awaitable:
        call = self._module.call_at(node, scope)
        function = node.func
        if call.name in _FUTURES:
            return Awaitable.YES
        if not call.name and isinstance(function, ast.Attribute) and function.attr in _METHODS_THAT_MAKE_FUTURES:
            return Awaitable.YES
        if coroutine_function_called(call):
            return Awaitable.YES
        if (
            call.name in _PLAIN
            or call.name.removeprefix("builtins.") in _PLAIN_BUILTINS
            or self._makes_plain_instance(function, scope)
            or self._changes_collection(function, scope)
        ):
            return Awaitable.NO
        called = mocks_of(self._module).at(function, scope)
        return Awaitable.YES if called and all(mock.kind.is_async for mock in called) else Awaitable.UNKNOWN

    def _makes_plain_instance(self, node: ast.expr, scope: Scope) -> bool:
        definition = self._module.names.definition(node, scope)
        klass = self._module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
        if klass is None or klass.kind is not ClassKind.PLAIN:
            return False
        return not any(name in each.scope.bindings for each in klass.lineage for name in ("__await__", "__new__"))

    def _changes_collection(self, node: ast.expr, scope: Scope) -> bool:
        """Whether it is a method such as `calls.append`, where `calls` is a list in view."""
        if not isinstance(node, ast.Attribute) or node.attr not in _CHANGING or not isinstance(node.value, ast.Name):
            return False
        bindings = bindings_at(self._module, node.value, scope)
        return bool(bindings) and all(
            binding.kind is Kind.ASSIGNED and self._is_collection(binding.value, binding.scope) for binding in bindings
        )

    def _is_collection(self, node: ast.expr | None, scope: Scope) -> bool:
        if isinstance(node, ast.Call):
            return self._module.qualified(node.func, scope) in _COLLECTIONS
        return isinstance(node, _COLLECTING)

    # -- what a side effect gives ----------------------------------------------------------------------------------

    def of_result(self, node: ast.expr, scope: Scope) -> Awaitable:
        if isinstance(node, ast.Lambda):
            return self.of(node.body, self._scopes[node])
        if isinstance(node, (ast.List, ast.Tuple)):
            return self._of_turns(node.elts, scope)
        if coroutine_function_named(self._module, node, scope):
            return Awaitable.YES
        if self._changes_collection(node, scope):
            return Awaitable.NO
        if isinstance(node, ast.Name):
            bindings = bindings_at(self._module, node, scope)
            held = [each.value for each in bindings if each.kind is Kind.ASSIGNED]
            lambdas = [each for each in held if isinstance(each, ast.Lambda)]
            if lambdas and len(lambdas) == len(bindings):
                return _joined(self.of_result(each, scope) for each in lambdas)
        mocks = mocks_of(self._module).at(node, scope)
        if mocks:
            return Awaitable.YES if all(mock.kind.is_async for mock in mocks) else Awaitable.UNKNOWN
        function = self._module.function_by_name(node, scope)
        if function is not None and not function.is_async and not function.node.decorator_list:
            return self._of_returns(function)
        return Awaitable.UNKNOWN

    def _of_turns(self, elements: list[ast.expr], scope: Scope) -> Awaitable:
        """What the calls of a mock give in turn: an exception is raised, not given."""
        if elements and is_exception(self._module, elements[0], scope):
            # Nobody may call it again after that.
            return Awaitable.UNKNOWN
        return _joined(self.of(each, scope) for each in elements if not is_exception(self._module, each, scope))

    def _of_returns(self, function: Function) -> Awaitable:
        """What a plain function returns; nothing where it only comes to its end."""
        if function.is_generator:
            return Awaitable.NO
        returns = [node for node in function.scope.of(ast.Return) if isinstance(node, ast.Return)]
        if not returns:
            # One that only raises gives nothing, and nothing is wrong with that.
            return Awaitable.NO if flow_of(self._module, function.scope).comes_to_end else Awaitable.UNKNOWN
        return _joined(Awaitable.NO if node.value is None else self.of(node.value, function.scope) for node in returns)

    @lazy
    def _scopes(self) -> dict[ast.AST, Scope]:
        return {scope.node: scope for scope in self._module.index.scopes}


def _raises(node: ast.BinOp) -> bool:
    """Whether it is `1 / 0`, the shortest way to raise in a lambda: it gives nothing at all."""
    return isinstance(node.right, ast.Constant) and not node.right.value and isinstance(node.op, _DIVISIONS)


def _joined(parts: Iterable[Awaitable]) -> Awaitable:
    """What all agree on."""
    found = set(parts)
    return found.pop() if len(found) == 1 else Awaitable.UNKNOWN
