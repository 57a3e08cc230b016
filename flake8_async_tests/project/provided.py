"""The fixtures that one module or class puts in sight: found under its attributes, as pytest finds them."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from flake8_async_tests.lazy import lazy
from flake8_async_tests.project.bases import bases_across_files
from flake8_async_tests.record import record
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.functions import Class, lineage_by
from flake8_async_tests.source.names import is_known_library, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import FunctionNode, Scope

# How far a fixture's name is followed from import to import and from assignment to assignment.
_DEPTH = 8
# How many modules are read for the star imports of one.
_MOST_STARS = 50

_DEFINITION_AT_TOP = re.compile(rb"^(?:class|def|async[ \t]+def)[ \t]+(\w+)", re.MULTILINE)
_FIXTURE_MAKERS = ("pytest.fixture", "pytest_asyncio.fixture")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@record
class Entry:
    """One attribute that is a fixture: by what name tests ask for it, and the fixture if it can be read."""

    attribute: str
    name: str
    fixture: Fixture | None
    foreign: bool = False
    """Whether it comes from outside the project, and may as well be something else."""


class Provided(ABC):
    """The fixtures that one class or module puts in sight."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Entry, ...]] = {}

    def entries_of(self, name: str) -> tuple[Entry, ...]:
        """What a name may mean here, what pytest prefers first: of one class or module the last in the alphabet."""
        found = self._entries.get(name)
        if found is None:
            found = self._entries[name] = self._find_entries(name)
        return found

    def _find_entries(self, name: str) -> tuple[Entry, ...]:
        found = list(self._under_other_attributes.get(name, ()))
        same = self.attribute(name)
        if same is not None and same.name == name:
            found.append(same)
        found.sort(key=lambda entry: entry.attribute, reverse=True)
        return tuple(found)

    @lazy
    def autouse(self) -> tuple[str, ...]:
        """The names of those that are used without being asked for, in the order in which pytest finds them."""
        return tuple(
            entry.name
            for entry in sorted(self.seen_at_once, key=lambda entry: entry.attribute)
            if entry.fixture is not None and entry.fixture.is_autouse
        )

    @lazy
    def _under_other_attributes(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.seen_at_once:
            if entry.attribute != entry.name:
                found.setdefault(entry.name, []).append(entry)
        return found

    @abstractmethod
    def attribute(self, attribute: str, depth: int = _DEPTH) -> Entry | None:
        """The fixture that stands under an attribute, None where there is none."""

    @property
    @abstractmethod
    def seen_at_once(self) -> Iterable[Entry]:
        """All that count without being asked for by their attribute's name."""

    @property
    @abstractmethod
    def attributes(self) -> frozenset[str]:
        """Every attribute there is, a fixture or not: what to ask for who wants to see them all."""


class OfClass(Provided):
    """The fixtures of a class, inherited ones included: of one attribute only the nearest counts."""

    def __init__(self, klass: Class) -> None:
        super().__init__()
        self._by_attribute: dict[str, Entry] = {}
        bound: set[str] = set()
        for each in _lineage_across_files(klass) if has_fixtures(klass) else ():
            for attribute, method in each.methods.items():
                fixture = each.module.fixture_of(method)
                if fixture is not None and attribute not in bound and _is_last(each.scope, method.node):
                    self._by_attribute[attribute] = Entry(attribute, fixture.name_under(attribute), fixture)
            bound.update(each.scope.bindings)

    def attribute(self, attribute: str, depth: int = _DEPTH) -> Entry | None:  # noqa: ARG002  # as a module is asked
        return self._by_attribute.get(attribute)

    @property
    def seen_at_once(self) -> Iterable[Entry]:
        return self._by_attribute.values()

    @property
    def attributes(self) -> frozenset[str]:
        return frozenset(self._by_attribute)


def has_fixtures(klass: Class) -> bool:
    """Whether a class or one of its bases holds a fixture."""
    return any(
        method.node.decorator_list and each.module.is_fixture(method)
        for each in _lineage_across_files(klass)
        for method in each.methods.values()
    )


def _lineage_across_files(klass: Class) -> tuple[Class, ...]:
    """A class and its bases, those included that stand in other files of the project where fixtures are spoken of."""
    if all(isinstance(base, Class) for each in klass.lineage for base in each.bases):
        return klass.lineage
    return lineage_by(klass, partial(bases_across_files, says=_speaks_of_fixtures))


def _is_last(scope: Scope, node: FunctionNode) -> bool:
    """Whether nothing below in the same body binds the name again."""
    return max(scope.bindings[node.name], key=_line_of) is node


class OfModule(Provided):
    """The fixtures of a module. The modules behind its imports are read only when they have to be."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self._module = module
        self._found: dict[tuple[str, int], Entry | None] = {}

    @property
    def complete(self) -> bool:
        """Whether there are certainly no more: False after a star import from a module that cannot be read."""
        return self._stars.complete

    # -- by attribute ---------------------------------------------------------------------------------------------

    def attribute(self, attribute: str, depth: int = _DEPTH) -> Entry | None:
        # How far it is still followed is part of the question, and ends modules that import from each other: an answer
        # that was cut short on the way to another one must not be given to who asks next.
        key = (attribute, depth)
        if key not in self._found:
            self._found[key] = self._read(attribute, depth) if depth > 0 else None
        return self._found[key]

    def _read(self, attribute: str, depth: int) -> Entry | None:
        last = max(map(_line_of, self._module.scope.bindings.get(attribute, ())), default=0)
        # What stands below all star imports is not asked for what these bring.
        if all(statement.lineno < last for statement in _star_imports(self._module)):
            return self.own(attribute, depth)
        found = [self.own(attribute, depth)] if last else []
        for star in reversed(self._stars.sources):
            # All that it binds counts, a fixture or not: it hides what stands above it.
            if star.statement.lineno > last and star.brings(attribute):
                if _is_unconditional(self._module, star.statement):
                    found.clear()
                found.append(star.module.provided_fixtures.own(attribute, depth - 1))
        return _one_of(attribute, found)

    def own(self, attribute: str, depth: int) -> Entry | None:
        """What stands under an attribute but for star imports."""
        found = [self._meaning(attribute, binding, depth) for binding in _last_bindings(self._module, attribute)]
        return _one_of(attribute, found)

    def _meaning(self, attribute: str, binding: ast.AST, depth: int) -> Entry | None:
        if isinstance(binding, _DEFINITIONS):
            function = self._module.function_of_node(binding)
            fixture = self._module.fixture_of(function) if function is not None else None
            return Entry(attribute, fixture.name_under(attribute), fixture) if fixture is not None else None
        if isinstance(binding, ast.ImportFrom):
            return self._imported(attribute, binding, depth)
        if isinstance(binding, ast.Name):
            return self._assigned(attribute, depth)
        return None

    def _imported(self, attribute: str, node: ast.ImportFrom, depth: int) -> Entry | None:
        original = next((alias.name for alias in node.names if (alias.asname or alias.name) == attribute), attribute)
        if _is_no_fixture(self._module, source_of(node), original):
            return None
        source = _module_behind(self._module, source_of(node))
        if source is None:
            return Entry(attribute, attribute, None, foreign=True)
        return _renamed(provided_by_module(source).attribute(original, depth - 1), attribute)

    def _assigned(self, attribute: str, depth: int) -> Entry | None:
        """`client = pytest.fixture(make_client)`, or another name for a fixture."""
        module = self._module
        value = module.names.assigned_value(attribute, module.scope)
        if isinstance(value, ast.Name):
            return _renamed(self.attribute(value.id, depth - 1), attribute)
        if isinstance(value, ast.Attribute):
            name, _, original = module.qualified(value, module.scope).rpartition(".")
            source = _module_behind(module, name) if name else None
            entry = provided_by_module(source).attribute(original, depth - 1) if source is not None else None
            return _renamed(entry, attribute)
        return _made_by_call(module, attribute, value)

    # -- without being asked ----------------------------------------------------------------------------------------

    @lazy
    def seen_at_once(self) -> tuple[Entry, ...]:
        """Its own fixtures, and of the imported ones those that are autouse or have another name."""
        attributes = dict.fromkeys(self.own_and_suspicious())
        for star in self._stars.sources:
            attributes |= dict.fromkeys(filter(star.lets_through, star.module.provided_fixtures.own_and_suspicious()))
        found = (self.attribute(attribute) for attribute in attributes)
        return tuple(entry for entry in found if entry is not None)

    @property
    def attributes(self) -> frozenset[str]:
        return frozenset(self._module.scope.bindings) | self._of_stars

    @property
    def starred(self) -> frozenset[str] | None:
        """What star imports bring; None when one of the modules cannot be read."""
        return self._of_stars if self._stars.complete else None

    @lazy
    def _of_stars(self) -> frozenset[str]:
        return frozenset(
            attribute
            for star in self._stars.sources
            for attribute in filter(star.lets_through, star.module.scope.bindings)
        )

    def own_and_suspicious(self) -> Iterator[str]:
        """The attributes that are its own fixtures, or imported ones that may be autouse or have another name."""
        module = self._module
        for fixture in module.fixtures:
            if fixture.function.outer is module.scope:
                yield fixture.function.name
        for node in module.own_from_imports:
            if node.names[0].name != "*" and self._may_hold_autouse_or_renamed(node):
                yield from (alias.asname or alias.name for alias in node.names)

    def _may_hold_autouse_or_renamed(self, node: ast.ImportFrom) -> bool:
        """Whether it is worth reading the module behind an import."""
        path = _path_behind(self._module, source_of(node))
        if path is None:
            return False
        words = self._module.project.said_in(path, _words_about_fixtures)
        if words is None:
            return False
        if path.endswith("__init__.py") and (self._module.is_conftest or b"fixture" in words):
            # What stands there may have been imported in its turn.
            return True
        return b"fixture" in words and len(words) > 1

    # -- star imports -------------------------------------------------------------------------------------------------

    @lazy
    def _stars(self) -> _Stars:
        """The modules from which everything is imported, what these import so included."""
        found: list[_Star] = []
        complete = True
        seen = {self._module}
        none: tuple[OfModule, ...] = ()
        todo = [(statement, source, none) for statement, source in self.own_star_sources]
        while todo:
            statement, source, through = todo.pop()
            if source is None or len(found) == _MOST_STARS:
                complete = False
            elif source not in seen:
                seen.add(source)
                star = _Star(source, statement, (*through, source.provided_fixtures))
                found.append(star)
                todo += ((statement, further, star.through) for _, further in source.provided_fixtures.own_star_sources)
        return _Stars(tuple(found), complete)

    @lazy
    def own_star_sources(self) -> tuple[tuple[ast.ImportFrom, Module | None], ...]:
        """Its own star imports and the modules behind them, None for one that cannot be read; others ask for them."""
        return tuple((node, _module_behind(self._module, source_of(node))) for node in _star_imports(self._module))

    @property
    def star_modules(self) -> tuple[Module, ...]:
        """The modules from which everything is imported, what these import so included."""
        return tuple(star.module for star in self._stars.sources)

    def star_gives(self, attribute: str) -> bool:
        """Whether a star import brings an attribute that the module does not bind itself."""
        if attribute in self._module.scope.bindings:
            return False
        return any(star.brings(attribute) for star in self._stars.sources)

    def exports(self, attribute: str) -> bool:
        """Whether a star import gets an attribute."""
        return attribute in self._listed if self._listed is not None else not attribute.startswith("_")

    @lazy
    def _listed(self) -> frozenset[str] | None:
        """What `__all__` names; None when there is none that can be read."""
        module = self._module
        if "__all__" not in module.scope.bindings:
            return None
        value = module.names.assigned_value("__all__", module.scope)
        if not isinstance(value, (ast.List, ast.Tuple)):
            return None
        return frozenset(
            element.value
            for element in value.elts
            if isinstance(element, ast.Constant) and isinstance(element.value, str)
        )


@record
class _Star:
    """A module from which everything is imported, and the modules that the names pass through, itself included."""

    module: Module
    statement: ast.ImportFrom
    """The import by which its names come, be it through other modules."""
    through: tuple[OfModule, ...]

    def brings(self, attribute: str) -> bool:
        return attribute in self.module.scope.bindings and self.lets_through(attribute)

    def lets_through(self, attribute: str) -> bool:
        return all(each.exports(attribute) for each in self.through)


@record
class _Stars:
    sources: tuple[_Star, ...]
    """Of two that give the same name the first one counts."""
    complete: bool


def _words_about_fixtures(content: bytes) -> frozenset[bytes]:
    return frozenset(word for word in (b"fixture", b"autouse", b"name=") if word in content)


def _speaks_of_fixtures(content: bytes) -> bool:
    return b"fixture" in content


def _is_no_fixture(importer: Module, module: str, name: str) -> bool:
    """Whether the text alone tells so: the module defines a function or a class of that name, and has no fixtures."""
    path = _path_behind(importer, module)
    words = importer.project.said_in(path, _words_about_fixtures) if path is not None else None
    if path is None or words is None or b"fixture" in words:
        return False
    return name.encode(errors="replace") in (importer.project.said_in(path, _defined_at_top) or ())


def _defined_at_top(content: bytes) -> frozenset[bytes]:
    return frozenset(_DEFINITION_AT_TOP.findall(content))


def _star_imports(module: Module) -> Iterator[ast.ImportFrom]:
    """The star imports of a module, but for those of a library that is known."""
    for node in module.own_from_imports:
        if node.names[0].name == "*" and not is_known_library(source_of(node)):
            yield node


def provided_by_module(module: Module) -> OfModule:
    """The fixtures of a module: its own and those it imports."""
    return module.provided_fixtures


def _renamed(entry: Entry | None, attribute: str) -> Entry | None:
    """The same fixture under another attribute: its name follows, unless it was given one."""
    if entry is None:
        return None
    name = entry.fixture.name_under(attribute) if entry.fixture is not None else entry.name
    if entry.fixture is None and entry.name == entry.attribute:
        name = attribute
    return Entry(attribute, name, entry.fixture, entry.foreign)


def _made_by_call(module: Module, attribute: str, value: ast.expr | None) -> Entry | None:
    """`client = pytest.fixture(name="c")(make_client)`: a fixture, but not one that can be read here.

    Nor is one that a function of the module makes: `client = client_fixture(url)`.
    """
    while isinstance(value, ast.Call):
        if _holds_fixture(module, module.names.definition(value.func, module.scope)):
            return Entry(attribute, attribute, None)
        if module.qualified(value.func, module.scope) in _FIXTURE_MAKERS:
            given = keyword_value(value, "name")
            named = isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value
            return Entry(attribute, named or attribute, None)
        value = value.func
    return None


def _holds_fixture(module: Module, definition: ast.AST | None) -> bool:
    maker = module.function_of_node(definition) if definition is not None else None
    return maker is not None and any(map(module.is_fixture, module.functions_in(maker.scope)))


def _one_of(attribute: str, found: list[Entry | None]) -> Entry | None:
    """What stands under an attribute: of several it depends on a condition which."""
    if len(found) > 1:
        return Entry(attribute, attribute, None) if any(found) else None
    return found[0] if found else None


def _last_bindings(module: Module, name: str) -> list[ast.AST]:
    """What a name of the module can mean when all of it has been run: more than one only where conditions decide."""
    bindings = sorted(module.scope.bindings.get(name, ()), key=_line_of)
    if len(bindings) < 2:
        return bindings
    certain = [at for at, binding in enumerate(bindings) if _is_unconditional(module, binding)]
    return bindings[certain[-1] :] if certain else bindings


def _is_unconditional(module: Module, binding: ast.AST) -> bool:
    statement = binding
    parents = module.scope.parents
    while not isinstance(statement, ast.stmt) and statement in parents:
        statement = parents[statement]
    return parents.get(statement) is module.tree


def _line_of(node: ast.AST) -> int:
    return node.lineno  # type: ignore[attr-defined,no-any-return]  # all that binds a name has a place


def _path_behind(module: Module, name: str) -> str | None:
    path = module.project.find_import(name, module)
    return path if path != module.path else None


def _module_behind(module: Module, name: str) -> Module | None:
    path = _path_behind(module, name)
    return module.project.module_at(path) if path is not None else None
