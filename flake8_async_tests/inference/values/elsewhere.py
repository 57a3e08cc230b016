"""What a name means in the module of the project that it comes from."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from flake8_async_tests.project.texts import CLASS, end_of_definition, joined
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How many re-exports (`from .database import engine` in an `__init__.py`) are followed.
_MOST_RE_EXPORTS = 4


@record
class Elsewhere:
    """A module-level name of another module of the project."""

    module: Module
    name: str

    @property
    def value(self) -> ast.expr | None:
        """What the only assignment of the name gives it, None when it is not assigned just once."""
        return self.module.names.assigned_value(self.name, self.module.scope)

    @property
    def definition(self) -> ast.AST | None:
        """The one function or class of that name."""
        binding = self.module.names.only_binding(self.name, self.module.scope)
        return binding if isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else None

    @property
    def meanings(self) -> Iterator[str | ast.AST]:
        """All that the name may mean, where the branches of a `try`, say, give it different ones."""
        return self.module.names.may_mean(self.name, self.module.scope)


def find_elsewhere(module: Module, qualified: str, *, is_assigned: bool = False) -> Elsewhere | None:
    """Where the project itself binds an imported name (`app.database.engine`), re-exports followed.

    Who only asks for what is assigned says so: then a file that has a class or function of that name is not parsed.
    """
    return _find(module, module.path, qualified, _MOST_RE_EXPORTS, set(), is_assigned=is_assigned)


def _find(
    module: Module, importer: str, qualified: str, steps: int, seen: set[tuple[str, str]], *, is_assigned: bool
) -> Elsewhere | None:
    """The same for an import in any file of the project; what was seen on the way is not looked at again."""
    project = module.project
    owner, name = _split(qualified)
    path = project.find_import_from(owner, os.path.dirname(importer)) if owner and steps else None
    content = project.files.read(path) if path is not None else None
    if path is None or content is None or path in (importer, module.path) or (path, name) in seen:
        return None
    seen.add((path, name))
    # Most of what is asked for is a module or a name of none: its text tells without being parsed.
    if name.encode(errors="replace") in content:
        if is_assigned and _defines(content, name):
            return None
        source = project.module_at(path)
        bindings = source.scope.bindings.get(name, ()) if source is not None else ()
        if source is not None and bindings:
            if not any(isinstance(binding, (ast.Import, ast.ImportFrom)) for binding in bindings):
                return Elsewhere(source, name)
            qualified = source.names.qualified(ast.Name(name, ast.Load()), source.scope)
            return _find(module, path, qualified, steps - 1, seen, is_assigned=is_assigned)
    if name.startswith("_") or b"import *" not in content:
        return None
    further = (joined(star, name) for star in project.outlines.star_imports_of(path))
    found = (_find(module, path, each, steps - 1, seen, is_assigned=is_assigned) for each in further)
    return next(filter(None, found), None)


def is_class_elsewhere(module: Module, qualified: str) -> bool:
    """Whether an imported name is a class of the project, by the text of its file."""
    directory = module.directory
    for _ in range(_MOST_RE_EXPORTS):
        owner, name = _split(qualified)
        path = module.project.find_import_from(owner, directory) if owner else None
        content = module.project.files.read(path) if path is not None and path != module.path else None
        if path is None or content is None or name.encode(errors="replace") not in content:
            return False
        if _defines(content, name):
            return end_of_definition(content, CLASS, name) is not None
        qualified, directory = module.project.outlines.imported_as(path, name), os.path.dirname(path)
    return False


_KEYWORDS = (CLASS, b"def ", b"async def ")


def _defines(content: bytes, name: str) -> bool:
    """Whether by its text a file defines a class or function of that name."""
    return any(end_of_definition(content, keyword, name) is not None for keyword in _KEYWORDS)


def function_meant(module: Module, node: ast.expr, scope: Scope) -> Function | None:
    """The function of the project, of this file or another, that a name means."""
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    definition = module.names.definition(node, scope)
    if definition is not None:
        return module.function_of_node(definition)
    qualified = module.qualified(node, scope)
    # What is called is mostly a class, and the text of its file tells that without being parsed.
    if is_class_elsewhere(module, qualified):
        return None
    elsewhere = find_elsewhere(module, qualified)
    if elsewhere is None or elsewhere.definition is None:
        return None
    return elsewhere.module.function_of_node(elsewhere.definition)


def _split(qualified: str) -> tuple[str, str]:
    """`..data.ENGINE` is `ENGINE` of the module `..data`, and `.ENGINE` is that of the package around."""
    owner, _, name = qualified.rpartition(".")
    dots = len(qualified) - len(qualified.lstrip("."))
    return ("." * dots if len(owner) < dots else owner), name
