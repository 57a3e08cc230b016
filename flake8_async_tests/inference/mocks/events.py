"""When something that configures a mock happens, as seen from a place that uses the mock."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.record import unique_record
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Given, Origin, Path
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WITHS = (ast.With, ast.AsyncWith)

Branch = tuple[ast.AST, str]
"""A statement or expression that may leave out a part of it, and the part."""


@unique_record
class Event:
    """One place that gives a path of a mock a value; None when that cannot be seen."""

    origin: Origin | None
    """None: it may be any mock."""
    path: Path
    given: Given | None
    node: ast.AST
    scope: Scope
    within: ast.With | ast.AsyncWith | None = None
    """The block after which it is undone."""

    @property
    def end(self) -> tuple[int, int]:
        return end_of(self.node)


class When(Enum):
    """How a place that configures stands to a place that uses."""

    BEFORE = "it certainly came first, and still holds if nothing came after it"
    PERHAPS = "it may have come first"
    NEVER = "it cannot have come first, or holds no longer"


class Places:
    """Compares the places of one file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._branches: dict[ast.AST, tuple[Branch, ...]] = {}

    def when(self, event: Event, node: ast.AST, scope: Scope) -> When:
        """When an event of the same scope happens, seen from a node that stands behind it."""
        if event.within is not None and not is_within(node, event.within.body):
            return When.NEVER
        first, second = self.branches(event.node, scope), self.branches(node, scope)
        shared = 0
        while shared < min(len(first), len(second)) and first[shared] == second[shared]:
            shared += 1
        if shared == len(first):
            return When.BEFORE
        exclusive = shared < len(second) and first[shared][0] is second[shared][0] and _excludes(first[shared][0])
        again = any(_repeats(branch, event.origin) for branch in first[:shared])
        if exclusive and not again:
            return When.NEVER
        returns = any(_returns(branch) for branch in first[shared:])
        return When.NEVER if returns and not self._is_final(node, scope) else When.PERHAPS

    def _is_final(self, node: ast.AST, scope: Scope) -> bool:
        """Whether a node stands in a `finally`, which a `return` does not leave out."""
        child = node
        for parent in self._module.ancestors(node, scope):
            if isinstance(parent, (ast.Try, ast.TryStar)) and is_within(child, parent.finalbody):
                return True
            child = parent
        return False

    def end_of_rounds(self, node: ast.AST, scope: Scope, origin: Origin) -> tuple[int, int] | None:
        """Where the outermost loop around a node ends that a mock outlives a round of."""
        loops = (branch[0] for branch in self.branches(node, scope) if _repeats(branch, origin))
        outermost = next(loops, None)
        return end_of(outermost) if outermost is not None else None

    def is_certain(self, event: Event) -> bool:
        """Whether an event happens whenever its scope is gone through."""
        return event.within is None and not self.branches(event.node, event.scope)

    def branches(self, node: ast.AST, scope: Scope) -> tuple[Branch, ...]:
        """What may leave a node out, from the outside in."""
        found = self._branches.get(node)
        if found is None:
            branches: list[Branch] = []
            child = node
            for parent in self._module.ancestors(node, scope):
                branches.extend(_branch(parent, child))
                child = parent
            found = self._branches[node] = tuple(reversed(branches))
        return found


def _branch(parent: ast.AST, child: ast.AST) -> Iterator[Branch]:
    if isinstance(parent, (ast.If, *_LOOPS)):
        if is_within(child, parent.body):
            yield parent, "body"
        elif is_within(child, parent.orelse):
            yield parent, "orelse"
    elif isinstance(parent, (ast.Try, ast.TryStar)):
        if parent.handlers and (is_within(child, parent.body) or is_within(child, parent.orelse)):
            yield parent, "body"
    elif isinstance(parent, (ast.ExceptHandler, ast.match_case)):
        yield parent, "body"
    elif isinstance(parent, ast.Match) and isinstance(child, ast.match_case):
        yield parent, str(parent.cases.index(child))
    elif isinstance(parent, (ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        yield parent, "part"


def _repeats(branch: Branch, origin: Origin | None) -> bool:
    """Whether a branch is a loop's and the mock outlives one round of it."""
    loop = branch[0]
    return isinstance(loop, _LOOPS) and (origin is None or not is_within(origin.node, loop.body))


def _returns(branch: Branch) -> bool:
    """Whether nothing comes after a branch, since it ends in a `return`."""
    parent, part = branch
    if not isinstance(parent, (ast.If, ast.ExceptHandler, ast.match_case)):
        return False
    block = parent.orelse if isinstance(parent, ast.If) and part == "orelse" else parent.body
    return isinstance(block[-1], ast.Return)


def _excludes(node: ast.AST) -> bool:
    """Whether only one of its branches is taken."""
    return isinstance(node, (ast.If, ast.Match))


def start_of(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]  # only statements and expressions are asked for


def end_of(node: ast.AST) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]  # as above
