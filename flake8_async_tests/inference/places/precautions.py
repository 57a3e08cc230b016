"""What a file does to get along with several versions of a library: it tries, or asks first."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.exceptions import is_caught_around
from flake8_async_tests.inference.places.parts import nodes_of, scopes_around
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_PROBES = frozenset({"builtins.hasattr", "importlib.metadata.version", "inspect.signature"})
_WORDS = frozenset(name.rpartition(".")[2] for name in _PROBES)


def is_reckoned_with(module: Module, node: ast.AST, scope: Scope, *errors: str) -> bool:
    """Whether one of these very exceptions is caught or suppressed around a node, or a condition there may avoid it."""
    return is_caught_around(module, node, scope, *errors) or is_for_some_versions(module, node, scope)


def is_for_some_versions(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a condition around a node asks first which version of something there is, or what that has."""
    return any(_asks(module, test, within) for test, within in _conditions_around(module, node, scope))


def _conditions_around(module: Module, node: ast.AST, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
    """The conditions on which a node is come to, from the inside out, those around its function too."""
    for within in scopes_around(scope):
        for around in module.ancestors(node, within):
            if isinstance(around, (ast.If, ast.IfExp)):
                yield around.test, within
        node = within.node


def _asks(module: Module, test: ast.expr, scope: Scope) -> bool:
    """Whether a condition asks which version there is, or what an object has: `hasattr(client, "get")`."""
    names = [node for node in nodes_of([test]) if isinstance(node, ast.Name)]
    parts = [test, *(module.value_of(name, scope) for name in names)]
    return any(_is_probe(module, node, scope) for node in nodes_of(parts))


def _is_probe(module: Module, node: ast.AST, scope: Scope) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "__version__"
    # Asked by the word first: what is behind a name may stand in another scope.
    return isinstance(node, ast.Call) and word_of(node.func) in _WORDS and module.qualified(node.func, scope) in _PROBES
