"""AT804: a conftest.py that names pytest-asyncio as if that switched it on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_element, remove_statement, replace, safe
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

_PACKAGE = "pytest_asyncio"
_PLUGIN = "pytest_asyncio.plugin"

_Assignment = ast.Assign | ast.AnnAssign | ast.AugAssign


@rule("AT804", "plugin-list-sets-no-mode", knows=Knows.CONFIG, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    if not module.is_conftest:
        return
    for kind in (ast.Assign, ast.AnnAssign, ast.AugAssign):
        for node in module.scope.of(kind):
            assert isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
            message = _message(module, node)
            if message:
                yield Finding(node, message, _fix(module, node))


def _fix(module: Module, node: _Assignment) -> Fix | None:
    """Without the whole assignment, or without the one entry in a list of several."""
    value = node.value
    if len(_targets(node)) != 1 or _is_read(module, "pytest_plugins") or value is None:
        return None
    if isinstance(value, ast.Constant):
        return _fix_of_text(module, node, value)
    entries = value.elts if isinstance(value, (ast.List, ast.Set, ast.Tuple)) else []
    named = [entry for entry in entries if isinstance(entry, ast.Constant) and entry.value in (_PACKAGE, _PLUGIN)]
    if len(named) != 1 or any(_words(module, entry) & {_PACKAGE, _PLUGIN} for entry in entries if entry not in named):
        return None
    if len(entries) == 1:
        return safe(remove_statement(module, node, module.scope))
    assert isinstance(value, (ast.List, ast.Set, ast.Tuple))
    return safe(remove_element(module, value, named[0]))


def _fix_of_text(module: Module, node: _Assignment, value: ast.Constant) -> Fix | None:
    """Without the one name in `"shop.fixtures, pytest_asyncio"`."""
    left = [name.strip() for name in str(value.value).split(",") if name.strip() not in (_PACKAGE, _PLUGIN)]
    if not left or "pytest_plugins" not in _targets(node):
        return safe(remove_statement(module, node, module.scope))
    return safe(replace(value, f'"{", ".join(left)}"'))


def _message(module: Module, node: _Assignment) -> str:
    names = _targets(node)
    if node.value is None:
        return ""
    if "asyncio_mode" in names and not _is_read(module, "asyncio_mode"):
        return "asyncio_mode in a conftest.py sets nothing: the mode stays as it is (set it in pytest's configuration)"
    if "pytest_plugins" not in names:
        return ""
    plugins = _words(module, node.value)
    if _PACKAGE in plugins:
        return (
            "pytest_plugins names pytest_asyncio, which loads no plugin and sets no mode"
            " (drop it, and set asyncio_mode in pytest's configuration)"
        )
    if _PLUGIN in plugins and _is_loaded_already(module):
        return (
            "pytest_plugins names pytest_asyncio.plugin, which pytest has loaded already: the run ends in a crash"
            " (drop it, and set asyncio_mode in pytest's configuration)"
        )
    return ""


def _targets(node: _Assignment) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _words(module: Module, value: ast.expr) -> set[str]:
    """The plugins that a value names, as far as they are written out in it."""
    found: set[str] = set()
    todo = [value]
    seen: set[ast.expr] = set()
    while todo:
        node = module.value_of(todo.pop(), module.scope)
        if node in seen:
            # `pytest_plugins = [*pytest_plugins, ...]`
            continue
        seen.add(node)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            todo.extend(node.elts)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            todo += (node.left, node.right)
        elif isinstance(node, ast.Starred):
            todo.append(node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(name.strip() for name in node.value.split(","))
    return found


def _is_read(module: Module, name: str) -> bool:
    return any(
        node.id == name and module.names.binding_scope(name, scope) is module.scope
        for scope in module.index.scopes
        for node in scope.loads
    )


def _is_loaded_already(module: Module) -> bool:
    config = module.project.config_for(module.directory)
    return config.known and not config.autoload_disabled and "asyncio" not in config.disabled_plugins
