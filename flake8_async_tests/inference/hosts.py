"""The host that a URL in view leads to, and whether a test may count on reaching it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

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
        value = module.names.assigned_value(node.id, owner) if owner is not None else None
        return _address_in(module, value, owner, depth - 1) if owner is not None else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        # The literal at the beginning holds all of it, or nobody knows what follows.
        return _address_in(module, node.left, scope, depth - 1)
    if isinstance(node, ast.JoinedStr):
        first = node.values[0] if node.values else None
        if isinstance(first, ast.FormattedValue):
            return _address_in(module, first.value, scope, depth - 1)
        return _address_of("".join(map(_shown, node.values)), node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _address_of(node.value, node)
    return None


def _shown(part: ast.expr) -> str:
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else _GAP


def _address_of(text: str, node: ast.expr) -> Address | None:
    found = _BEGINNING.match(text)
    if found is None:
        return None
    host = _HOST.fullmatch(found["authority"].rpartition("@")[2])
    if host is None:
        return None
    return Address(found["scheme"].lower(), host["address"] or host["name"], node)
