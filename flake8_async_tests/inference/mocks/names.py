"""Which names may hold a mock at all: one cheap look at the assignments of a file, before anything is followed."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.inference.replacing.mock_values import ASYNC_DUNDERS
from flake8_async_tests.inference.replacing.patches import CONSTRUCTORS
from flake8_async_tests.inference.values.bindings import leaves_of
from flake8_async_tests.lazy import lazy
from flake8_async_tests.source.names import word_of
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

# What the last word of a call may be that makes a mock, besides the classes: `patch(..)`, `patch.object(..)`.
_MAKERS = frozenset(
    {"AsyncMock", "MagicMock", "Mock", "async_stub", "create_autospec", "object", "patch", "spy", "stub"}
)
_PATCHERS = frozenset({"object", "patch", "setattr"})
_ENTERING = frozenset({"enterContext", "enter_context", "start"})
_WITHOUT_PARTS = frozenset({ast.BinOp, ast.Compare, ast.Constant, ast.Dict, ast.JoinedStr})
_HOLDING = (ast.Await, ast.NamedExpr, ast.Subscript)

_Target: TypeAlias = ast.Name | ast.Attribute


class MockNames:
    """The names and attributes to which a mock may have been bound, in whatever scope."""

    def __init__(self, module: Module) -> None:
        self._module = module
        names = module.names
        self.makers = _MAKERS
        """The last words of the calls that make mocks."""
        self.patchers = _PATCHERS
        """Those of these words by which something may be patched."""
        if not _MAKERS.isdisjoint(names.other_names):
            self.makers |= names.tails_of_any({name.rpartition(".")[2] for name in CONSTRUCTORS} | {"patch"})
            self.patchers = self.makers & names.tails_of_any({"object", "patch"}) | _PATCHERS
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        if self.are_there:
            self._collect()

    @lazy
    def are_there(self) -> bool:
        """Whether anything in the file could make a mock."""
        return not self._module.index.calls.keys().isdisjoint(self.makers)

    @lazy
    def may_be_async(self) -> bool:
        """Whether one of the mocks could be an AsyncMock: by its class, by what it replaces, by the async protocols."""
        if not self.are_there:
            return False
        text, calls = self._module.text, self._module.index.calls
        # The texts last: to look through a whole one takes longest.
        return (
            "AsyncMock" in calls
            or bool(self._module.of_kind(ast.AsyncWith))
            or not calls.keys().isdisjoint(self.patchers - {"setattr"})
            or "AsyncMock" in text
            or any(name in text for name in ASYNC_DUNDERS)
        )

    def may_hold(self, node: ast.expr) -> bool:
        """Whether an expression may start from a mock."""
        while True:
            if node.__class__ is ast.Name:
                return node.id in self.names
            if node.__class__ is ast.Attribute:
                if node.attr in self.attributes:
                    return True
                node = node.value
            elif node.__class__ is ast.Call:
                if self.makes(node):
                    return True
                node = node.func
            elif isinstance(node, _HOLDING):
                node = node.value
            elif node.__class__ is ast.IfExp:
                if self.may_hold(node.body):
                    return True
                node = node.orelse
            else:
                return False

    def may_patch(self, call: ast.Call) -> bool:
        """Whether the last word of what is called is one of those that patch."""
        return word_of(call.func) in self.patchers

    def makes(self, call: ast.Call) -> bool:
        """Whether the last word of what is called is one of those that make mocks, or enter what makes one."""
        tail = word_of(call.func)
        if tail in self.makers:
            return True
        return tail in _ENTERING and any(isinstance(each, ast.Call) and self.makes(each) for each in call.args)

    def _collect(self) -> None:
        if "patch" in self._module.text:
            for function in self._module.functions:
                if _is_patched(function):
                    self.names.update(argument.arg for argument in arguments_of(function.node))
        # What is given something that starts from a name or an attribute waits until that turns out to hold a mock.
        by_name: defaultdict[str, list[_Target]] = defaultdict(list)
        by_attribute: defaultdict[str, list[_Target]] = defaultdict(list)
        found = self._given_new_mocks(by_name, by_attribute)
        for name in self.names:
            found += by_name.pop(name, ())
        while found:
            target = found.pop()
            if isinstance(target, ast.Name):
                self.names.add(target.id)
                found += by_name.pop(target.id, ())
            else:
                self.attributes.add(target.attr)
                found += by_attribute.pop(target.attr, ())

    def _given_new_mocks(
        self, by_name: defaultdict[str, list[_Target]], by_attribute: defaultdict[str, list[_Target]]
    ) -> list[_Target]:
        """What is given something that may be a new mock; the rest by the words from which what it is given starts."""
        found: list[_Target] = []
        todo = self._assigned()
        # Every assignment of the file comes by here: so one loop, and nothing made for those that come to nothing.
        while todo:
            target, node = todo.pop()
            while True:
                if node.__class__ is ast.Call:
                    if self.makes(node):
                        found.append(target)
                        break
                    node = node.func
                elif node.__class__ is ast.Attribute:
                    by_attribute[node.attr].append(target)
                    node = node.value
                elif node.__class__ is ast.Name:
                    by_name[node.id].append(target)
                    break
                elif isinstance(node, _HOLDING):
                    node = node.value
                elif node.__class__ is ast.IfExp:
                    todo.append((target, node.orelse))
                    node = node.body
                else:
                    break
        return found

    def _assigned(self) -> list[tuple[_Target, ast.expr]]:
        """What is given to names and attributes, without what cannot start from a mock."""
        found: list[tuple[_Target, ast.expr]] = []
        of_kind = self._module.of_kind
        for assignment, _ in of_kind(ast.Assign):
            value = assignment.value
            if value.__class__ not in _WITHOUT_PARTS:
                for target in assignment.targets:
                    if target.__class__ is ast.Name or target.__class__ is ast.Attribute:
                        found.append((target, value))
                    else:
                        found += _pairs(target, value)
        for annotated, _ in of_kind(ast.AnnAssign):
            if annotated.value is not None:
                found += _pairs(annotated.target, annotated.value)
        for named, _ in of_kind(ast.NamedExpr):
            found += _pairs(named.target, named.value)
        for block, _ in self._module.with_blocks:
            for item in block.items:
                if item.optional_vars is not None:
                    found += _pairs(item.optional_vars, item.context_expr)
        for loop, _ in of_kind(ast.For):
            if isinstance(loop.iter, (ast.Tuple, ast.List)):
                for element in loop.iter.elts:
                    found += _pairs(loop.target, element)
        return found


def _is_patched(function: Function) -> bool:
    """Whether a decorator of a function, or of the class in which it stands, may hand it a mock."""
    if function.node.decorator_list and any(decorator.is_patch for decorator in function.decorators):
        return True
    if not isinstance(function.outer.node, ast.ClassDef) or not function.outer.node.decorator_list:
        return False
    return function.klass is not None and any(decorator.is_patch for decorator in function.klass.decorators)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[_Target, ast.expr]]:
    for leaf, part in leaves_of(target, value):
        yield leaf, part if part is not None else value
