"""Which names may hold a mock at all: one cheap look at the assignments of a file, before anything is followed."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_async_tests.inference.bindings import leaves_of
from flake8_async_tests.inference.patches import CONSTRUCTORS
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

# What the last word of a call may be that makes a mock, besides the classes: `patch(..)`, `patch.object(..)`.
_MAKERS = frozenset({"AsyncMock", "MagicMock", "Mock", "create_autospec", "object", "patch"})
_ENTERING = frozenset({"enterContext", "enter_context", "start"})
_WITHOUT_MOCKS = frozenset({ast.BinOp, ast.Compare, ast.Constant, ast.Dict, ast.JoinedStr, ast.List, ast.Tuple})
# How many times assignments are gone through to find the aliases of aliases.
_ROUNDS = 4


class MockNames:
    """The names and attributes to which a mock may have been bound, in whatever scope."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.makers = _MAKERS.union(*(module.names.tails_of(name) for name in CONSTRUCTORS))
        self.makers |= module.names.tails_of("unittest.mock.patch")
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        if self.are_there:
            self._collect()

    @cached_property
    def are_there(self) -> bool:
        """Whether anything in the file could make a mock."""
        calls = self._module.index.calls
        return any(maker in calls for maker in self.makers)

    def may_hold(self, node: ast.expr) -> bool:
        """Whether an expression may start from a mock."""
        while True:
            if node.__class__ in _WITHOUT_MOCKS:
                return False
            if isinstance(node, ast.Name):
                return node.id in self.names
            if isinstance(node, ast.Attribute):
                if node.attr in self.attributes:
                    return True
                node = node.value
            elif isinstance(node, ast.Call):
                if self.makes(node):
                    return True
                node = node.func
            elif isinstance(node, (ast.Await, ast.NamedExpr, ast.Subscript)):
                node = node.value
            elif isinstance(node, ast.IfExp):
                if self.may_hold(node.body):
                    return True
                node = node.orelse
            else:
                return False

    def may_patch(self, call: ast.Call) -> bool:
        """Whether the last word of what is called is one of those that patch."""
        tail = _tail(call.func)
        return tail in self.makers or tail == "setattr"

    def makes(self, call: ast.Call) -> bool:
        """Whether the last word of what is called is one of those that make mocks, or enter what makes one."""
        tail = _tail(call.func)
        if tail in self.makers:
            return True
        return tail in _ENTERING and any(isinstance(each, ast.Call) and self.makes(each) for each in call.args)

    def _collect(self) -> None:
        for function in self._module.functions:
            if any(decorator.is_patch for decorator in _decorators_over(function)):
                self.names.update(argument.arg for argument in arguments_of(function.node))
        left = list(self._assigned())
        for _ in range(_ROUNDS):
            rest = [(target, value) for target, value in left if not self._take(target, value)]
            if len(rest) == len(left):
                break
            left = rest

    def _take(self, target: ast.Name | ast.Attribute, value: ast.expr) -> bool:
        if not self.may_hold(value):
            return False
        if isinstance(target, ast.Name):
            self.names.add(target.id)
        else:
            self.attributes.add(target.attr)
        return True

    def _assigned(self) -> Iterator[tuple[ast.Name | ast.Attribute, ast.expr]]:
        by_kind = self._module.index.by_kind
        for node, _ in by_kind[ast.Assign]:
            assert isinstance(node, ast.Assign)
            for target in node.targets:
                yield from _pairs(target, node.value)
        for binder in (ast.AnnAssign, ast.NamedExpr):
            for node, _ in by_kind[binder]:
                assert isinstance(node, (ast.AnnAssign, ast.NamedExpr))
                if node.value is not None:
                    yield from _pairs(node.target, node.value)
        for kind in (ast.With, ast.AsyncWith):
            for node, _ in by_kind[kind]:
                assert isinstance(node, (ast.With, ast.AsyncWith))
                for item in node.items:
                    if item.optional_vars is not None:
                        yield from _pairs(item.optional_vars, item.context_expr)
        for node, _ in by_kind[ast.For]:
            assert isinstance(node, ast.For)
            if isinstance(node.iter, (ast.Tuple, ast.List)):
                for element in node.iter.elts:
                    yield from _pairs(node.target, element)


def _tail(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _decorators_over(function: Function) -> Iterator[Decorator]:
    """The decorators of a function and of the class in which it stands."""
    yield from function.decorators
    if function.klass is not None:
        yield from function.klass.decorators


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Name | ast.Attribute, ast.expr]]:
    for leaf, part in leaves_of(target, value):
        yield leaf, part if part is not None else value
