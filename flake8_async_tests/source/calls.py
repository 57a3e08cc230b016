"""A call, as rules see it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


# What a call stands in that was not come by through the index.
_UNSEEN = ast.AST()


class Call:
    """One call, its scope and, when it calls something from elsewhere, that thing's qualified name."""

    __slots__ = ("_holder", "_name", "module", "node", "scope")

    def __init__(
        self, module: Module, node: ast.Call, scope: Scope, name: str | None = None, holder: ast.AST | None = _UNSEEN
    ) -> None:
        self.module = module
        self.node = node
        self.scope = scope
        self._name = name
        self._holder = holder

    @property
    def name(self) -> str:
        if self._name is None:
            self._name = self.module.qualified(self.node.func, self.scope)
        return self._name

    @property
    def function(self) -> Function | None:
        """The function in whose own body the call stands; None in a module, class body or lambda."""
        return self.module.function_at(self.scope)

    @property
    def parent(self) -> ast.AST | None:
        return self.scope.parents.get(self.node) if self._holder in (None, _UNSEEN) else self._holder

    @property
    def holder(self) -> ast.AST | None:
        """Its parent if that is one of those which the walk notes: the parents of a scope cost something to find."""
        return self.parent if self._holder is _UNSEEN else self._holder

    @property
    def is_awaited(self) -> bool:
        return isinstance(self.holder, ast.Await)

    @property
    def is_statement(self) -> bool:
        """Whether the call is a statement of its own, its result dropped."""
        return isinstance(self.holder, ast.Expr)

    @property
    def may_be_assigned(self) -> bool:
        """Whether an assignment may hold it, be it among other things."""
        if self.holder is None:
            return self.node not in self.module.index.handed_to
        return not isinstance(self.holder, (ast.Assert, ast.Await, ast.Expr, ast.Return))

    def argument(self, position: int, keyword: str) -> ast.expr | None:
        """The argument given at a position or by a keyword."""
        if 0 <= position < len(self.node.args) and not any(
            isinstance(argument, ast.Starred) for argument in self.node.args[: position + 1]
        ):
            return self.node.args[position]
        return keyword_value(self.node, keyword)


def keyword_value(node: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument, or None."""
    for keyword in node.keywords:
        if keyword.arg == name:
            return keyword.value
    return None


def has_double_star(node: ast.Call) -> bool:
    """Whether a call passes keywords that cannot be seen (`**options`)."""
    return any(keyword.arg is None for keyword in node.keywords)


def receiver_of(node: ast.Call) -> ast.expr | None:
    """`client` in `client.get()`."""
    return node.func.value if isinstance(node.func, ast.Attribute) else None
