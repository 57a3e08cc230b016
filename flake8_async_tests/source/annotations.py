"""The class that an annotation names, whatever it is wrapped in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# What these hold, or hand out, is their first argument.
_WRAPPERS = frozenset(
    f"{module}.{name}"
    for module in ("typing", "typing_extensions", "collections.abc", "contextlib")
    for name in (
        "AbstractAsyncContextManager",
        "AbstractContextManager",
        "Annotated",
        "AsyncContextManager",
        "AsyncGenerator",
        "AsyncIterable",
        "AsyncIterator",
        "Awaitable",
        "ClassVar",
        "ContextManager",
        "Final",
        "Generator",
        "Iterable",
        "Iterator",
        "Optional",
        "Required",
    )
)
_UNIONS = frozenset({"typing.Union", "typing_extensions.Union"})
_DEPTH = 8


def class_annotated(module: Module, node: ast.expr | None, scope: Scope) -> str:
    """The qualified name of the class in `AsyncClient`, `"AsyncClient | None"`, `AsyncIterator[AsyncClient]`, or ""."""
    for _ in range(_DEPTH):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = _parsed(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            node = _only_one([node.left, node.right])
        elif isinstance(node, ast.Subscript):
            node = _within(module, node, scope)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            return module.qualified(node, scope)
        else:
            break
    return ""


def _within(module: Module, node: ast.Subscript, scope: Scope) -> ast.expr | None:
    name = module.qualified(node.value, scope)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in _UNIONS:
        return _only_one(arguments)
    if name in _WRAPPERS:
        return arguments[0] if arguments else None
    return node.value


def _only_one(alternatives: list[ast.expr]) -> ast.expr | None:
    """What is left of a union without its None."""
    found = [node for node in alternatives if not (isinstance(node, ast.Constant) and node.value is None)]
    return found[0] if len(found) == 1 else None


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
