"""What of a fixture is done before the test runs that asks for it, and what of it is always done."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.source.module import holds_one_of

if TYPE_CHECKING:
    from flake8_async_tests.source.fixtures import Fixture

CONDITIONS = (ast.ExceptHandler, ast.If, ast.IfExp, ast.Match)


class BeforeTest:
    """Asked of one fixture. Of one that does not yield, all runs before the test."""

    def __init__(self, fixture: Fixture) -> None:
        self._module = fixture.module
        self._scope = fixture.function.scope
        self._yields = sorted(self._scope.of(ast.Yield), key=place_of)

    def may_hold(self, node: ast.AST) -> bool:
        """Whether something stands before some test runs: what is in the value that is given out counts as well."""
        if not self._yields:
            return True
        last = self._yields[-1]
        assert isinstance(last, ast.Yield)
        return place_of(node) < (last.end_lineno or 0, last.end_col_offset or 0)

    def certainly_holds(self, node: ast.AST) -> bool:
        """Whether something is always done before any test runs."""
        if self._yields and place_of(node) > place_of(self._yields[0]):
            return False
        return not self.is_conditional(node)

    def is_conditional(self, node: ast.AST) -> bool:
        """Whether a condition decides, or an exception, if something is done."""
        return any(isinstance(ancestor, CONDITIONS) for ancestor in self._module.ancestors(node, self._scope))

    def ends(self, block: ast.With | ast.AsyncWith) -> bool:
        """Whether no test runs while a block is open: a return leaves it."""
        return not holds_one_of(block.body, list(map(place_of, self._yields)))
