"""What the modules of the project define, as far as coroutine functions go: small facts instead of trees.

A test file imports dozens of modules, and parsing them all would cost more than all the rest. So a question is put
to the text of a file first. Only where that speaks of a coroutine function is the file parsed, once, and what is kept
of it is a table of names.
"""

from __future__ import annotations

import ast
import os
import re
from codecs import BOM_UTF8
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.project.excerpts import Excerpts, How
from flake8_async_tests.project.texts import MOST_STEPS, Texts, joined, names_in_library
from flake8_async_tests.record import record
from flake8_async_tests.source.coroutines import (
    ClassFacts,
    Member,
    Other,
    bases_of,
    coroutine_function_of,
    find_method,
    is_plain_class,
    own_member,
)
from flake8_async_tests.source.known_coroutines import LibraryClass, meaning_in_library
from flake8_async_tests.source.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module


@record
class Imported:
    """What a dotted name means to the files of a folder."""

    name: str
    directory: str
    is_certain: bool = True
    """False when it is imported only under some condition."""


@record
class Defined:
    """What a name means at the top of a file."""

    name: str
    path: str


class LocalClass:
    """A class of the file at hand."""

    def __init__(self, klass: Class) -> None:
        self._klass = klass

    @property
    def is_plain(self) -> bool:
        return is_plain_class(self._klass)

    def own(self, name: str) -> Member:
        return own_member(self._klass, name)

    def bases(self) -> Iterator[ClassFacts | None]:
        module = self._klass.module
        for base in bases_of(self._klass):
            if isinstance(base, str):
                yield module.project.outlines.base_class(Imported(base, module.directory))
            else:
                yield LocalClass(base)


class OutlinedClass:
    """A class of another file."""

    def __init__(self, klass: Class, outlines: Outlines, changed: frozenset[str]) -> None:
        module = klass.module
        self.is_plain = is_plain_class(klass)
        self._outlines = outlines
        self._members = {
            name: Other.SOMETHING if name in changed else own_member(klass, name) for name in klass.scope.bindings
        }
        self._bases: tuple[Imported | Defined, ...] = tuple(
            Imported(base, module.directory) if isinstance(base, str) else Defined(base.name, module.path)
            for base in bases_of(klass)
        )

    def own(self, name: str) -> Member:
        return self._members.get(name, Other.ABSENT)

    def bases(self) -> Iterator[ClassFacts | None]:
        for base in self._bases:
            yield self._outlines.base_class(base)


Meaning: TypeAlias = Member | OutlinedClass | LibraryClass
Entry: TypeAlias = Meaning | Imported | Defined


@record
class Outline:
    """The names at the top of a file."""

    names: dict[str, Entry]


class _Unsure(Enum):
    UNSURE = "the text does not tell"


class Outlines:
    """Knows the coroutine functions and classes of the project's modules."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._texts = Texts(project)
        self._located: dict[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]] | None] = {}
        self._coroutine_names_by_name: dict[tuple[str, str, bool], frozenset[str]] = {}
        self._by_path: dict[str, Outline | None] = {}
        self._entries: dict[tuple[str, str], Entry | None] = {}
        self._found: dict[tuple[str, str, int], Entry] = {}
        self._excerpts: dict[str, Excerpts | None] = {}
        self._meanings: dict[tuple[str, str], Meaning] = {}

    def file_behind(self, name: str, directory: str) -> tuple[str, tuple[str, ...]] | None:
        """The file of the project that a dotted name leads to, and what is left of the name within it."""
        # The files of a project mostly find a name at one place, whichever folder they are in.
        key = (name, (directory,) if name.startswith(".") else self._project.import_roots(directory))
        if key not in self._located:
            self._located[key] = self._texts.locate(name, directory)
        return self._located[key]

    def along_imports(self, name: str, directory: str) -> Iterator[tuple[str, str, tuple[str, tuple[str, ...]] | None]]:
        """A dotted name, then what it leads to by the imports of the project's modules, one after another.

        Each with the folder to whose files it means that, and the file behind it with what is left of the name.
        """
        for _ in range(MOST_STEPS):
            located = self.file_behind(name, directory)
            yield name, directory, located
            if located is None or not located[1]:
                return
            path, (first, *rest) = located
            imported = self.imported_as(path, first)
            if not imported:
                return
            name, directory = ".".join((imported, *rest)), os.path.dirname(path)

    def end_of_imports(self, name: str, directory: str) -> tuple[str, tuple[str, ...]] | None:
        """The file in which a dotted name of the project is defined in the end, and what is left of it there."""
        if not name or not self._project.may_have(name, directory):
            return None
        *_, (_, _, located) = self.along_imports(name, directory)
        return located

    def imported_as(self, path: str, name: str) -> str:
        """What a file imports under a name, by its text."""
        return self._texts.imported_as(path, name)

    def star_imports_of(self, path: str) -> list[str]:
        """The names of the modules from which a file imports everything, by its text."""
        return self._texts.star_imports_of(path)

    def coroutine_names(self, name: str, directory: str, *, closely: bool = False) -> frozenset[str]:
        """Which coroutine functions a dotted name may give by the text of the file: its methods, or ITSELF."""
        key = (name, directory, closely)
        known = self._coroutine_names_by_name.get(key)
        if known is None:
            known = self._coroutine_names_by_name[key] = self._coroutine_names(name, directory, closely=closely)[0]
        return known

    def _coroutine_names(self, name: str, directory: str, *, closely: bool) -> tuple[frozenset[str], list[str]]:
        """The same, and what of the dotted name stands behind the name that gives them."""
        for dotted, _, located in self.along_imports(name, directory):
            if located is None:
                return names_in_library(dotted), []
            if not located[1]:
                break
            path, (first, *rest) = located
            names = self._texts.coroutine_names(path, first, closely=closely)
            # With something left of the name it may be a module that another one hands on.
            if names or not rest or not self._texts.imported_as(path, first):
                return names, rest
        return frozenset(), []

    def is_module(self, name: str, directory: str) -> bool:
        """Whether a dotted name leads to a file as a whole, be it through an import in another one."""
        located = self.file_behind(name, directory)
        for _ in range(MOST_STEPS):
            if located is None or len(located[1]) != 1:
                break
            source = self._texts.imported_as(located[0], located[1][0])
            located = self.file_behind(source, os.path.dirname(located[0])) if source else None
        return located is not None and not located[1]

    def find(self, name: str, directory: str) -> Meaning:
        """What a dotted name means to a file in a folder; UNSEEN when it is none of the project's."""
        key = (name, directory)
        known = self._meanings.get(key)
        if known is None:
            known = self._meanings[key] = self._find(name, directory)
        return known

    def _find(self, name: str, directory: str) -> Meaning:
        if self.file_behind(name, directory) is None:
            return Other.UNSEEN
        names, rest = self._coroutine_names(name, directory, closely=False)
        if not names or (rest and rest[0] not in names):
            return Other.SOMETHING
        return self._follow(Imported(name, directory), (), MOST_STEPS)

    def base_class(self, base: Imported | Defined) -> OutlinedClass | None:
        """A class of the project, however few coroutine functions it has."""
        found = self._follow(base, (), MOST_STEPS)
        return found if isinstance(found, OutlinedClass) else None

    def _follow(self, entry: Entry, rest: Sequence[str], steps: int) -> Meaning:
        """What an entry comes to in the end, and then what the rest of a dotted name makes of it."""
        while isinstance(entry, (Imported, Defined)):
            if not steps:
                return Other.SOMETHING
            steps -= 1
            if isinstance(entry, Imported):
                if not entry.is_certain:
                    return Other.SOMETHING
                located = self._locate_surely(entry.name, entry.directory)
                if located is None or not (located[1] or rest):
                    return meaning_in_library(canonical(".".join((entry.name, *rest)))) or Other.UNSEEN
                path, (name, *rest) = located[0], (*located[1], *rest)
            else:
                path, name = entry.path, entry.name
            entry = self._entry(path, name, steps)
        if not rest:
            return entry
        if not isinstance(entry, (OutlinedClass, LibraryClass)) or len(rest) != 1:
            return Other.SOMETHING
        return find_method(entry, rest[0])

    def _entry(self, path: str, name: str, steps: int) -> Entry:
        key = (path, name, steps)
        if key not in self._found:
            self._found[key] = self._find_entry(path, name, steps)
        return self._found[key]

    def _find_entry(self, path: str, name: str, steps: int) -> Entry:
        found = self._own_entry(path, name)
        if found is None and not name.startswith("_"):
            for star in self._texts.star_imports_of(path):
                meaning = self._follow(Imported(joined(star, name), os.path.dirname(path)), (), steps)
                if meaning is not Other.ABSENT:
                    return meaning
        return Other.ABSENT if found is None else found

    def _own_entry(self, path: str, name: str) -> Entry | None:
        """What a name means at the top of a file, star imports left out; None when it means nothing."""
        key = (path, name)
        if key not in self._entries:
            entry = self._entry_by_text(path, name)
            self._entries[key] = self._entry_by_outline(path, name) if isinstance(entry, _Unsure) else entry
        return self._entries[key]

    def _entry_by_outline(self, path: str, name: str) -> Entry | None:
        """The same by the whole file."""
        outline = self._outline(path)
        return outline.names.get(name) if outline is not None else Other.UNSEEN

    def _entry_by_text(self, path: str, name: str) -> Entry | _Unsure | None:
        """The same by the text of the file: most are asked about one name, and need not be parsed for that."""
        excerpts = self._excerpts_of(path)
        excerpt = excerpts.of(name) if excerpts is not None else None
        if excerpts is None or excerpt is None or excerpts.changed is None:
            return _Unsure.UNSURE
        if excerpt.how is How.NOT:
            return None
        if excerpt.how is How.OTHER or name in excerpts.changed:
            return Other.SOMETHING
        text = excerpt.text.decode(errors="replace")
        if excerpt.how is How.DEFINED:
            module = self._project.parse(path, text) if text and path not in self._by_path else None
            if module is None or name not in module.scope.bindings:
                return _Unsure.UNSURE
            return _entry_of(module, name, self, excerpts.changed)
        if excerpt.how is How.RENAMED and "." not in text:
            return Defined(text, path) if text != name else Other.SOMETHING
        # An import, or an attribute of what is imported.
        first, dot, rest = (text or name).partition(".")
        source = self._texts.imported_as(path, first)
        return Imported(source + dot + rest, os.path.dirname(path)) if source else Other.SOMETHING

    def _excerpts_of(self, path: str) -> Excerpts | None:
        """None when the text of a file says nothing that could be trusted."""
        if path not in self._excerpts:
            content = self._project.content(path)
            is_plain = content is not None and _is_plain(content)
            self._excerpts[path] = Excerpts(content, self._texts.imports_of(path)) if content and is_plain else None
        return self._excerpts[path]

    def _locate_surely(self, name: str, directory: str) -> tuple[str, tuple[str, ...]] | None:
        """The file behind a dotted name, unless a package on the way binds the name of its module to something else."""
        located = self._texts.locate(name, directory)
        if located is None:
            return None
        module = name.removesuffix(".".join(located[1])).rstrip(".")
        while "." in module.lstrip("."):
            package, _, last = module.rpartition(".")
            path = self._texts.module_path(package, directory)
            if path is not None and self._hides(path, last):
                return None
            module = package
        return located

    def _hides(self, package: str, name: str) -> bool:
        """Whether a package makes something else of the name of one of its modules."""
        content = self._project.files.read(package)
        if content is None or name.encode(errors="replace") not in content:
            return False
        entry = self._own_entry(package, name)
        if isinstance(entry, Imported):
            located = self._texts.locate(entry.name, entry.directory)
            # `from .fetch import fetch` hides the module from its own package only: who imports from it, finds it.
            is_from_it = located == (self._texts.module_path(f".{name}", os.path.dirname(package)), (name,))
            return not is_from_it and (located is None or bool(located[1]))
        return entry not in (None, Other.UNSEEN)

    def _outline(self, path: str) -> Outline | None:
        if path not in self._by_path:
            module = self._project.read_module(path)
            self._by_path[path] = outline_of(module, self, self._excerpts_of(path)) if module is not None else None
        return self._by_path[path]


def outline_of(module: Module, outlines: Outlines, excerpts: Excerpts | None = None) -> Outline:
    """What is worth remembering of a module."""
    # What the text says counts in any case: of what it was asked first, nothing may depend.
    changed = excerpts.changed if excerpts is not None else None
    if changed is None:
        changed = frozenset(_changed_from_outside(module))
    return Outline({name: _entry_of(module, name, outlines, changed) for name in module.scope.bindings})


# What the patterns that are asked about a text take for something else than Python does: line ends of old Macs, and
# form feeds before what stands at the top of a file.
_MISLEADING = re.compile(rb"\r(?!\n)|\f[^\r\n]")


def _is_plain(content: bytes) -> bool:
    """Whether a text is UTF-8, as far as it says itself, and has nothing in it that misleads."""
    if not content.isascii():
        try:
            content.decode()
        except UnicodeDecodeError:
            return False
        if content.startswith(BOM_UTF8) or b"coding" in b"".join(content.split(b"\n", 2)[:2]):
            return False
    return not (b"\r" in content or b"\f" in content) or _MISLEADING.search(content) is None


def _entry_of(module: Module, name: str, outlines: Outlines, changed: frozenset[str]) -> Entry:
    if name in changed:
        return Other.SOMETHING
    only = module.names.only_binding(name, module.scope)
    binding = only or module.scope.bindings[name][0]
    # What is conditional depends on more than the text.
    is_certain = binding is only and binding in module.scope.body()
    if isinstance(binding, (ast.Import, ast.ImportFrom)):
        imported = module.names.qualified(ast.Name(name, ast.Load()), module.scope)
        is_certain = is_certain or (binding is only and _is_for_type_checkers(module, binding))
        return Imported(imported, module.directory, is_certain) if imported else Other.SOMETHING
    if isinstance(binding, ast.Name):
        value = module.names.assigned_value(name, module.scope)
        if isinstance(value, ast.Name) and value.id != name:
            return Defined(value.id, module.path)
        imported = module.qualified(value, module.scope)
        return Imported(imported, module.directory) if imported else Other.SOMETHING
    if not is_certain:
        return Other.SOMETHING
    klass = module.class_of_node(binding) if isinstance(binding, ast.ClassDef) else None
    if klass is not None:
        return OutlinedClass(klass, outlines, changed)
    function = module.function_of_node(binding)
    return coroutine_function_of(function) if function is not None else Other.SOMETHING


def _is_for_type_checkers(module: Module, binding: ast.AST) -> bool:
    """Whether an import tells type checkers what the module's `__getattr__` will give for the name."""
    around = module.scope.parents.get(binding)
    if not isinstance(around, ast.If) or binding not in around.body or around not in module.scope.body():
        return False
    test = around.test
    first = test.values[0] if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else test
    return module.qualified(first, module.scope) in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING")


def _changed_from_outside(module: Module) -> Iterator[str]:
    """The names that are bound again from a function, and the attributes that are set."""
    for statement, _ in module.index.by_kind[ast.Global]:
        assert isinstance(statement, ast.Global)
        yield from statement.names
    for node, _ in module.index.by_kind[ast.Assign]:
        assert isinstance(node, ast.Assign)
        for target in node.targets:
            if isinstance(target, ast.Attribute):
                yield target.attr
    for call in module.calls("builtins.setattr"):
        name = call.argument(1, "name")
        if call.scope is module.scope and isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value
