"""Whether a file imports a library for tests, told without a walk."""

from __future__ import annotations

import ast
from ast import Import, ImportFrom
from typing import Any

_TEST_LIBRARIES = frozenset({"pytest", "pytest_asyncio", "unittest", "mock", "asynctest"})
_BLOCKS = frozenset({ast.If, ast.Try, ast.TryStar, ast.With, ast.ExceptHandler})


def imports_test_library(tree: ast.Module) -> bool:
    """Whether a file itself does, be it under a condition: what one of its functions imports makes no test file.

    This is asked of every file that a run checks, and of most files it is all that is asked.
    """
    # Any: nodes are told apart by their class, which a type checker cannot follow.
    level: list[Any] = [*tree.body]
    while level:
        within: list[Any] = []
        for node in level:
            kind = node.__class__
            if kind is ImportFrom:
                if node.module and not node.level and node.module.partition(".")[0] in _TEST_LIBRARIES:
                    return True
            elif kind is Import:
                for alias in node.names:
                    if alias.name.partition(".")[0] in _TEST_LIBRARIES:
                        return True
            elif kind in _BLOCKS:
                for part in ("body", "handlers", "orelse", "finalbody"):
                    within += getattr(node, part, ())
        level = within
    return False
