"""A text that is written down in view: a literal, perhaps behind a constant, an f-string or an import."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.elsewhere import find_elsewhere
from flake8_async_tests.inference.values.instances import class_constant
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How deep sums and f-strings within each other are read.
_DEPTH = 12


@record
class Text:
    """What is known of a text, from its beginning on."""

    beginning: str
    is_whole: bool


_UNKNOWN = Text("", is_whole=False)


def text_of(module: Module, node: ast.expr | None, scope: Scope) -> str | None:
    """The whole text that an expression certainly is, or None."""
    text = _text(module, node, scope, _DEPTH)
    return text.beginning if text.is_whole else None


def beginning_of(module: Module, node: ast.expr | None, scope: Scope) -> str:
    """The text that an expression certainly begins with; "" when nothing is known."""
    return _text(module, node, scope, _DEPTH).beginning


def _text(module: Module, node: ast.expr | None, scope: Scope, depth: int) -> Text:
    if node is None or not depth:
        return _UNKNOWN
    if isinstance(node, ast.Constant):
        return Text(node.value, is_whole=True) if isinstance(node.value, str) else _UNKNOWN
    if isinstance(node, ast.JoinedStr):
        return _joined(module, node.values, scope, depth - 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined(module, [node.left, node.right], scope, depth - 1)
    if isinstance(node, ast.FormattedValue):
        plain = node.conversion == -1 and node.format_spec is None
        return _text(module, node.value, scope, depth - 1) if plain else _UNKNOWN
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _behind_name(module, node, scope, depth - 1)
    return _UNKNOWN


def _joined(module: Module, parts: list[ast.expr], scope: Scope, depth: int) -> Text:
    beginning = ""
    for part in parts:
        text = _text(module, part, scope, depth)
        beginning += text.beginning
        if not text.is_whole:
            return Text(beginning, is_whole=False)
    return Text(beginning, is_whole=True)


def _behind_name(module: Module, node: ast.Name | ast.Attribute, scope: Scope, depth: int) -> Text:
    if isinstance(node, ast.Name):
        owner = module.names.binding_scope(node.id, scope)
        value = module.names.assigned_value(node.id, owner) if owner is not None else None
        if owner is not None and value is not None:
            return _text(module, value, owner, depth)
        if owner is None and node.id == "__name__":
            # As the file's neighbours would import it: `patch(f"{__name__}.fetch")`.
            return Text(f".{os.path.basename(module.path).removesuffix('.py')}", is_whole=True)
    else:
        constant = class_constant(module, node, scope)
        if constant is not None:
            return _text(module, *constant, depth)
    elsewhere = find_elsewhere(module, module.qualified(node, scope), is_assigned=True)
    if elsewhere is None:
        return _UNKNOWN
    return _text(elsewhere.module, elsewhere.value, elsewhere.module.scope, depth)
