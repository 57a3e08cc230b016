"""Files with the names of tests that are none of pytest's: scripts that call their tests themselves, examples."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import end_of, names_in, place_of
from flake8_async_tests.project.left_out import is_beside_testpaths
from flake8_async_tests.source.test_libraries import imports_test_library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

_TEST_LIBRARIES = ("pytest", "pytest_asyncio")


def is_run_by_its_script(function: Function) -> bool:
    """Whether a file calls a test itself when it is started or imported, and nothing says that pytest is to have it.

    That is: neither an import of pytest, nor a configuration of it, nor a conftest.
    """
    module = function.module
    if function.outer is not module.scope or function.name not in module.fact(_names_reached_when_started):
        return False
    project, directory = module.project, module.directory
    chain = project.conftests(directory)
    return not (project.config_for(directory).settings or chain.modules or module.imports(*_TEST_LIBRARIES))


def is_for_something_else(module: Module) -> bool:
    """Whether a file lies beside the `testpaths`, and nothing in it says that pytest is to have it all the same.

    Type checkers, for one, are given examples with the names of tests.
    """
    return is_beside_testpaths(module.project, module.path) and not imports_test_library(module.tree)


def _names_reached_when_started(module: Module) -> frozenset[str]:
    """The names that the file's own code speaks of when it is started, and in what these stand for, and so on.

    That is what stands under `if __name__ == "__main__"`, and what is called right away: `asyncio.run(main())`.
    """
    seen: set[str] = set()
    todo = {name for body in _bodies_of_scripts(module) for name in _names_between(module, body)}
    for statement in module.tree.body:
        todo |= _names_called_in(statement)
    while todo:
        name = todo.pop()
        seen.add(name)
        for binding in module.scope.bindings.get(name, ()):
            todo |= _names_behind(module, binding) - seen
    return frozenset(seen)


def _names_called_in(statement: ast.stmt) -> set[str]:
    """The names in a call that is a statement, or is tried."""
    tried = statement.body if isinstance(statement, ast.Try) else [statement]
    return {name for each in tried if isinstance(each, ast.Expr) for name in names_in(each)}


def _bodies_of_scripts(module: Module) -> Iterator[ast.If]:
    for node in module.scope.of(ast.If):
        assert isinstance(node, ast.If)
        words = {each.value for each in ast.walk(node.test) if isinstance(each, ast.Constant)}
        if "__main__" in words and "__name__" in names_in(node.test):
            yield node


def _names_between(module: Module, block: ast.If) -> Iterator[str]:
    start, end = place_of(block.body[0]), end_of(block.body[-1])
    return (name.id for name in module.scope.loads if start <= place_of(name) < end)


def _names_behind(module: Module, binding: ast.AST) -> set[str]:
    """The names in a function or class, or in what is assigned."""
    within = module.class_of_node(binding) if isinstance(binding, ast.ClassDef) else module.function_of_node(binding)
    if within is not None:
        return {name.id for scope in module.scopes_within(within.scope) for name in scope.loads}
    assignment = module.scope.parents.get(binding)
    if isinstance(assignment, (ast.Assign, ast.AnnAssign)) and assignment.value is not None:
        return names_in(assignment.value)
    return set()
