"""What rules say of their fixes where these make another mock of a mock.

Nothing is offered where something that the file itself does with the mock would not be right with the other one.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import (
    Spelled,
    block_of,
    insert_statement_below,
    insert_statement_into,
    replace,
    spell,
    unsafe,
)
from flake8_async_tests.inference.coroutines.mock_families import family_of
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.replacing.mock_values import MockKind, is_dunder
from flake8_async_tests.inference.replacing.patches import is_mocker, mock_constructor, patched_parameters

if TYPE_CHECKING:
    from flake8_async_tests.inference.replacing.mock_values import Mock, Origin
    from flake8_async_tests.rule import Edit, Fix
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


def awaitable_instead(module: Module, mock: Mock, *, is_awaited: bool = False) -> Fix | None:
    """An AsyncMock in the place of the mock from which an awaited one descends, if all calls are awaited.

    What others do with a mock is not in view, except that they await its call where that is what they get it for.
    """
    if any(is_dunder(name) for name in mock.path):
        # Its class is its own, whatever it descends from.
        return None
    family = family_of(module, mock.origin)
    if not family.is_certain or family.called or family.is_result_unclear:
        return None
    if family.handed_on - family.awaited - ({mock.path} if is_awaited else set()):
        return None
    return other_class_at_origin(module, mock.origin, MockKind.ASYNC)


def sync_instead(module: Module, mock: Mock) -> Fix | None:
    """A MagicMock in the place of an AsyncMock that stands for something synchronous."""
    family = family_of(module, mock.origin)
    if mock.path or not family.is_certain or family.awaited or family.asked_for_awaits:
        return None
    return other_class_at_origin(module, mock.origin, MockKind.MAGIC)


def sync_descendant(module: Module, mock: Mock) -> Fix | None:
    """`session.get = MagicMock()` where the AsyncMock is made of which a descendant is to be synchronous."""
    origin, path = mock.origin, mock.path
    family = family_of(module, origin)
    if not path or family.below(path, family.awaited | family.asked_for_awaits):
        return None
    if any(given.path[: len(path)] == path for given in origin.given):
        # What it is told where it is made would be lost.
        return None
    name = spelled_class(module, _maker(origin), origin.scope, MockKind.MAGIC)
    if name is None:
        return None
    return unsafe(_after_it_is_bound(module, origin, ".".join(path), f"{name.text}()"), names=[name])


def other_class_at_origin(module: Module, origin: Origin, kind: MockKind) -> Fix | None:
    """Another class where a mock is made: that of the constructor, or a patch's `new_callable`."""
    node = origin.node
    assert isinstance(node, ast.Call)
    patch = mocks_of(module).patch(node, origin.scope)
    if patch is None:
        return other_class(module, node.func, origin.scope, kind)
    return other_class(module, patch.new_callable, patch.scope, kind) if patch.new_callable is not None else None


def other_class(module: Module, node: ast.expr, scope: Scope, kind: MockKind, *further: Edit | None) -> Fix | None:
    """Another class of mocks where one stands, and further edits."""
    name = spelled_class(module, node, scope, kind) if mock_constructor(module, node, scope) is not None else None
    return unsafe(replace(node, name.text), *further, names=[name]) if name is not None else None


def _maker(origin: Origin) -> ast.expr:
    assert isinstance(origin.node, ast.Call)
    return origin.node.func


def spelled_class(module: Module, like: ast.expr, scope: Scope, kind: MockKind) -> Spelled | None:
    """How a class of mocks is named where another one is, or a patch: by the same module or fixture if there is one."""
    if isinstance(like, ast.Attribute) and mock_constructor(module, like, scope) is not None:
        return Spelled(f"{ast.unparse(like.value)}.{kind.value}")
    root = like
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and is_mocker(module, root, scope):
        return Spelled(f"{root.id}.{kind.value}")
    return spell(module, scope, "unittest.mock", kind.value, line=like.lineno)


# -- where a mock gets its name -----------------------------------------------------------------------------------


def _after_it_is_bound(module: Module, origin: Origin, path: str, value: str) -> Edit | None:
    """A statement that sets an attribute of a mock, right after the mock has got its name."""
    text = f"{path} = {value}"
    mocks, node, scope = mocks_of(module), origin.node, origin.scope
    parent = scope.parents.get(node)
    if isinstance(parent, (ast.Assign, ast.AnnAssign)) and mocks.at(node, scope):
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        if len(targets) == 1 and isinstance(targets[0], (ast.Name, ast.Attribute)):
            below = _last_of_those_below(module, parent, targets[0], path, scope)
            return insert_statement_below(module, below, f"{ast.unparse(targets[0])}.{text}")
        return None
    if isinstance(parent, ast.withitem) and mocks.patch(node, scope) is not None:
        block = scope.parents[parent]
        if isinstance(parent.optional_vars, ast.Name) and isinstance(block, (ast.With, ast.AsyncWith)):
            return insert_statement_into(module, block, f"{parent.optional_vars.id}.{text}")
        return None
    function = module.function_at(scope)
    if function is None:
        return None
    names = [name for name, (call, _) in patched_parameters(function).items() if call is node]
    return insert_statement_into(module, function.node, f"{names[0]}.{text}") if names else None


def _last_of_those_below(module: Module, node: ast.stmt, target: ast.expr, path: str, scope: Scope) -> ast.stmt:
    """The last of the statements right below the one that makes a mock which make mocks of its attributes.

    Those that set something below a path are no part of it, for what is put there would undo them.
    """
    block = block_of(node, scope)
    name = f"{ast.unparse(target)}."
    for statement in block[block.index(node) + 1 :]:
        if not (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Call)
            and mocks_of(module).constructed(statement.value, scope) is not None
            and ast.unparse(statement.targets[0]).startswith(name)
            and not ast.unparse(statement.targets[0]).startswith(f"{name}{path}.")
        ):
            break
        node = statement
    return node
