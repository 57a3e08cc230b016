"""Which names may hold a mock at all: one cheap look at the assignments of a file, before anything is followed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.inference.bindings import leaves_of
from flake8_async_tests.inference.mock_values import ASYNC_DUNDERS
from flake8_async_tests.inference.patches import CONSTRUCTORS
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

_Word: TypeAlias = tuple[str, bool]
"""A name, or an attribute, and whether it is the latter."""


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
        return (
            "AsyncMock" in text
            or bool(self._module.of_kind(ast.AsyncWith))
            or not calls.keys().isdisjoint(self.patchers - {"setattr"})
            or any(name in text for name in ASYNC_DUNDERS)
        )

    def may_hold(self, node: ast.expr) -> bool:
        """Whether an expression may start from a mock."""
        words: list[_Word] = []
        return self._starts_from_maker(node, words) or any(
            word in (self.attributes if is_attribute else self.names) for word, is_attribute in words
        )

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
        # What is given something that starts from a word waits until that word turns out to hold a mock.
        waiting: dict[_Word, list[_Word]] = {}
        found: list[_Word] = [(name, False) for name in self.names]
        for target, value in self._assigned():
            words: list[_Word] = []
            if self._starts_from_maker(value, words):
                found.append(_word_given(target))
            else:
                for word in words:
                    waiting.setdefault(word, []).append(_word_given(target))
        while found:
            word = found.pop()
            (self.attributes if word[1] else self.names).add(word[0])
            found += waiting.pop(word, ())

    def _starts_from_maker(self, node: ast.expr, words: list[_Word]) -> bool:
        """Whether an expression may be a new mock; if not, the words by which it may start from another one."""
        while True:
            if node.__class__ is ast.Name:
                words.append((node.id, False))
                return False
            if node.__class__ is ast.Attribute:
                words.append((node.attr, True))
                node = node.value
            elif node.__class__ is ast.Call:
                if self.makes(node):
                    return True
                node = node.func
            elif isinstance(node, _HOLDING):
                node = node.value
            elif isinstance(node, ast.IfExp):
                if self._starts_from_maker(node.body, words):
                    return True
                node = node.orelse
            else:
                return False

    def _assigned(self) -> list[tuple[ast.Name | ast.Attribute, ast.expr]]:
        """What is given to names and attributes, without what cannot start from a mock."""
        found: list[tuple[ast.Name | ast.Attribute, ast.expr]] = []
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
        items = [item for block, _ in of_kind(ast.With) for item in block.items]
        items += (item for block, _ in of_kind(ast.AsyncWith) for item in block.items)
        for item in items:
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


def _word_given(target: ast.Name | ast.Attribute) -> _Word:
    return (target.id, False) if isinstance(target, ast.Name) else (target.attr, True)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Name | ast.Attribute, ast.expr]]:
    for leaf, part in leaves_of(target, value):
        yield leaf, part if part is not None else value
