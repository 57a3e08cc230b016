"""Which names may hold a mock at all: one cheap look at the assignments of a file, before anything is followed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.inference.bindings import leaves_of
from flake8_async_tests.inference.patches import CONSTRUCTORS
from flake8_async_tests.lazy import lazy
from flake8_async_tests.source.names import word_of
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

# What the last word of a call may be that makes a mock, besides the classes: `patch(..)`, `patch.object(..)`.
_MAKERS = frozenset(
    {"AsyncMock", "MagicMock", "Mock", "async_stub", "create_autospec", "object", "patch", "spy", "stub"}
)
_ENTERING = frozenset({"enterContext", "enter_context", "start"})
_WITHOUT_PARTS = frozenset({ast.BinOp, ast.Compare, ast.Constant, ast.Dict, ast.JoinedStr})
_HOLDING = frozenset({ast.Await, ast.NamedExpr, ast.Subscript})

_Word: TypeAlias = tuple[str, bool]
"""A name, or an attribute, and whether it is the latter."""


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

    @lazy
    def are_there(self) -> bool:
        """Whether anything in the file could make a mock."""
        calls = self._module.index.calls
        return any(maker in calls for maker in self.makers)

    def may_hold(self, node: ast.expr) -> bool:
        """Whether an expression may start from a mock."""
        words: list[_Word] = []
        return self._starts_from_maker(node, words) or any(
            word in (self.attributes if is_attribute else self.names) for word, is_attribute in words
        )

    def may_patch(self, call: ast.Call) -> bool:
        """Whether the last word of what is called is one of those that patch."""
        tail = word_of(call.func)
        return tail in self.makers or tail == "setattr"

    def makes(self, call: ast.Call) -> bool:
        """Whether the last word of what is called is one of those that make mocks, or enter what makes one."""
        tail = word_of(call.func)
        if tail in self.makers:
            return True
        return tail in _ENTERING and any(isinstance(each, ast.Call) and self.makes(each) for each in call.args)

    def _collect(self) -> None:
        if "patch" in self._module.text:
            for function in self._module.functions:
                if any(decorator.is_patch for decorator in _decorators_over(function)):
                    self.names.update(argument.arg for argument in arguments_of(function.node))
        # What is given something that starts from a word waits until that word turns out to hold a mock.
        waiting: dict[_Word, list[_Word]] = {}
        found: list[_Word] = [(name, False) for name in self.names]
        for target, value in self._assigned():
            given = _word_given(target)
            words: list[_Word] = []
            if self._starts_from_maker(value, words):
                found.append(given)
            else:
                for word in words:
                    waiting.setdefault(word, []).append(given)
        while found:
            word = found.pop()
            (self.attributes if word[1] else self.names).add(word[0])
            found += waiting.pop(word, ())

    def _starts_from_maker(self, node: ast.expr, words: list[_Word]) -> bool:
        """Whether an expression may be a new mock; if not, the words by which it may start from another one."""
        while True:
            kind = node.__class__
            if kind is ast.Name:
                words.append((node.id, False))  # type: ignore[attr-defined]
                return False
            if kind is ast.Attribute:
                words.append((node.attr, True))  # type: ignore[attr-defined]
                node = node.value  # type: ignore[attr-defined]
            elif kind is ast.Call:
                if self.makes(node):  # type: ignore[arg-type]
                    return True
                node = node.func  # type: ignore[attr-defined]
            elif kind in _HOLDING:
                node = node.value  # type: ignore[attr-defined]
            elif isinstance(node, ast.IfExp):
                if self._starts_from_maker(node.body, words):
                    return True
                node = node.orelse
            else:
                return False

    def _assigned(self) -> Iterator[tuple[ast.Name | ast.Attribute, ast.expr]]:
        of_kind = self._module.of_kind
        for assignment, _ in of_kind(ast.Assign):
            value = assignment.value
            if value.__class__ in _WITHOUT_PARTS:
                continue
            for target in assignment.targets:
                yield from _pairs(target, value)
        for annotated, _ in of_kind(ast.AnnAssign):
            if annotated.value is not None:
                yield from _pairs(annotated.target, annotated.value)
        for named, _ in of_kind(ast.NamedExpr):
            yield from _pairs(named.target, named.value)
        items = [item for block, _ in of_kind(ast.With) for item in block.items]
        items += (item for block, _ in of_kind(ast.AsyncWith) for item in block.items)
        for item in items:
            if item.optional_vars is not None:
                yield from _pairs(item.optional_vars, item.context_expr)
        for loop, _ in of_kind(ast.For):
            if isinstance(loop.iter, (ast.Tuple, ast.List)):
                for element in loop.iter.elts:
                    yield from _pairs(loop.target, element)


def _decorators_over(function: Function) -> Iterator[Decorator]:
    """The decorators of a function and of the class in which it stands."""
    yield from function.decorators
    if function.klass is not None:
        yield from function.klass.decorators


def _word_given(target: ast.Name | ast.Attribute) -> _Word:
    return (target.id, False) if isinstance(target, ast.Name) else (target.attr, True)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Name | ast.Attribute, ast.expr]]:
    for leaf, part in leaves_of(target, value):
        yield leaf, part if part is not None else value
