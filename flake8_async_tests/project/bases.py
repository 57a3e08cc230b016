"""The bases of a class that stand in other files of the project."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.source.functions import MOST_BASES, Class, ClassKind, kind_of_foreign, lineage_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module


def bases_across_files(klass: Class, says: Callable[[bytes], bool] | None = None) -> list[Class]:
    """The bases of a class that can be read, those of other files included.

    Who asks for nothing but what only some files can hold says how their text tells it: others are not parsed.
    """
    found = (base if isinstance(base, Class) else _class_elsewhere(klass.module, base, says) for base in klass.bases)
    return [base for base in found if base is not None]


def _class_elsewhere(importer: Module, qualified: str, says: Callable[[bytes], bool] | None = None) -> Class | None:
    """The class of another file that an imported name means."""
    project = importer.project
    located = project.outlines.end_of_imports(qualified, importer.directory)
    if located is None or (says is not None and not project.said_in(located[0], says)):
        return None
    module = project.module_at(located[0])
    return _class_within(module, located[1]) if module is not None else None


def _class_within(module: Module, path: tuple[str, ...]) -> Class | None:
    """The class to which names lead, each but the first within the class before; None where that is not certain."""
    klass: Class | None = None
    for name in path:
        definitions = (klass or module).scope.bindings.get(name, ())
        if len(definitions) != 1 or not isinstance(definitions[0], ast.ClassDef):
            return None
        klass = module.class_of_node(definitions[0])
    return klass


def plain_bases_elsewhere(klass: Class) -> tuple[Class, ...] | None:
    """The classes of other files that a class inherits from, where they leave its tests what they are.

    None where one of them cannot be read, is a test case or may be one, or keeps pytest from collecting the class.
    """
    known = klass.module.fact(_known_bases)
    if klass not in known:
        known[klass] = _find_plain_bases(klass)
    return known[klass]


def _known_bases(_: Module) -> dict[Class, tuple[Class, ...] | None]:
    """What is known so far of a module's classes."""
    return {}


def _find_plain_bases(klass: Class) -> tuple[Class, ...] | None:
    lineage = lineage_by(klass, bases_across_files)
    if len(lineage) == MOST_BASES or not klass.is_collected or not all(map(_is_plain, lineage)):
        return None
    elsewhere = tuple(each for each in lineage if each not in klass.lineage)
    if klass.test_switch is None and any(each.test_switch is False for each in elsewhere):
        return None
    if any(each.has_constructor for each in elsewhere) or _leaves_something_abstract(lineage):
        return None
    return elsewhere


def _is_plain(klass: Class) -> bool:
    """Whether neither the class itself nor a base of it that stands in no file of the project makes anything else."""
    return not klass.may_be_remade and all(
        kind_of_foreign(base) is ClassKind.PLAIN or _class_elsewhere(klass.module, base) is not None
        for base in klass.foreign_bases
    )


def _leaves_something_abstract(lineage: tuple[Class, ...]) -> bool:
    found: dict[str, Function] = {}
    for klass in reversed(lineage):
        found |= klass.methods
    return any(method.is_abstract for method in found.values())
