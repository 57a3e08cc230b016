"""The host that a URL in view leads to, and whether a test may count on reaching it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import fixture_behind
from flake8_async_tests.inference.values.instances import class_constant
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Reserved by RFC 2606 and RFC 6761: they lead to this machine, or nowhere.
_RESERVED_ENDS = (".test", ".example", ".invalid", ".localhost", ".example.com", ".example.net", ".example.org")

# What stands for a part of a text that is not written down.
_GAP = "\0"
_BEGINNING = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+._-]*)://(?P<authority>[^/?#]*)(?P<end>[/?#])?")
_HOST = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]\0]+))(?::[^:]*)?")

# How many names, sums and f-strings within each other are read.
_DEPTH = 12


@record
class Address:
    """The scheme and host of an absolute URL, and the literal in which they are written down."""

    scheme: str
    host: str
    node: ast.expr

    @property
    def is_local(self) -> bool:
        return is_local(self.host)


def is_local(host: str) -> bool:
    """Whether a host is this machine, a name within a private network, or one that is reserved for examples."""
    host = host.lower().rstrip(".")
    try:
        # Imported here: hardly a file has an address that is none of a name, and this takes its time.
        import ipaddress

        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or f".{host}".endswith(_RESERVED_ENDS)
    return address.is_loopback or address.is_unspecified


def address_in(module: Module, node: ast.expr | None, scope: Scope) -> Address | None:
    """Where a URL leads to whose host is written down in view; None for any other expression, and for relative URLs."""
    return _address_in(module, node, scope, _DEPTH)


def _address_in(module: Module, node: ast.expr | None, scope: Scope, depth: int) -> Address | None:
    if node is None or not depth:
        return None
    if isinstance(node, ast.Name):
        owner = module.names.binding_scope(node.id, scope)
        if owner is None:
            return None
        if isinstance(module.names.only_binding(node.id, owner), ast.arg):
            value, owner = _given_by_fixture(module, node.id, owner)
        else:
            value = module.names.assigned_value(node.id, owner)
        return _address_in(module, value, owner, depth - 1)
    if isinstance(node, ast.Attribute):
        constant = class_constant(module, node, scope)
        return _address_in(module, *constant, depth - 1) if constant is not None else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        # The literal at the beginning holds all of it, or names for the rest of it follow.
        return _address_in(module, node.left, scope, depth - 1) or _address_put_together(module, node, scope)
    if isinstance(node, ast.JoinedStr):
        first = node.values[0] if node.values else None
        if isinstance(first, ast.FormattedValue):
            return _address_in(module, first.value, scope, depth - 1)
        return _address_put_together(module, node, scope)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _address_of(node.value, node)
    return None


def _given_by_fixture(module: Module, name: str, scope: Scope) -> tuple[ast.expr | None, Scope]:
    """What a parameter gets from a fixture of this file that only returns or yields it."""
    function = module.function_at(scope)
    fixture = fixture_behind(function, name) if function is not None else None
    if fixture is None or fixture.module is not module:
        return None, scope
    given = fixture.function.scope.of(ast.Return, ast.Yield)
    value = given[0].value if len(given) == 1 and isinstance(given[0], (ast.Return, ast.Yield)) else None
    return value, fixture.function.scope


def _address_put_together(module: Module, node: ast.expr, scope: Scope) -> Address | None:
    literal = node
    while isinstance(literal, ast.BinOp):
        literal = literal.left
    return _address_of(_put_together(module, node, scope, _DEPTH), literal)


def _put_together(module: Module, node: ast.expr, scope: Scope, depth: int) -> str:
    """A text that sums, f-strings and names of constants make up, with gaps for what cannot be seen."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not depth:
        return _GAP
    if isinstance(node, ast.JoinedStr):
        return "".join(_put_together(module, part, scope, depth - 1) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return "".join(_put_together(module, part, scope, depth - 1) for part in (node.left, node.right))
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return _put_together(module, node.value, scope, depth - 1)
    if isinstance(node, ast.Name):
        return _put_together(module, module.value_of(node, scope), scope, depth - 1)
    return _GAP


def _address_of(text: str, node: ast.expr) -> Address | None:
    found = _BEGINNING.match(text)
    if found is None:
        return None
    host = _HOST.fullmatch(found["authority"].rpartition("@")[2])
    if host is None:
        return None
    return Address(found["scheme"].lower(), host["address"] or host["name"], node)
