"""Whether something may stand in for a function where it is called: a patch, a `setattr`, an assignment.

`from app.service import fetch` binds the name in the test file, and `patch("app.service.fetch")` leaves that alone:
what counts is where the name is looked up. In doubt it may be replaced.
"""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.inference.places.backends import outermost_function
from flake8_async_tests.inference.places.parts import belongs_to_tests, entered_by, is_tearing_down, is_test_code
from flake8_async_tests.inference.places.reaching import (
    is_collected_through,
    is_only_spoken_of_in_functions,
    may_run_together,
    may_set_up,
    runs_at_import,
    tests_reaching,
    words_of,
)
from flake8_async_tests.inference.replacing.patches import mock_constructor
from flake8_async_tests.inference.values.bindings import bound_in, path_of, root_of
from flake8_async_tests.inference.values.receivers import class_of_first_parameter
from flake8_async_tests.lazy import lazy
from flake8_async_tests.record import record
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


# Without one of these words, nothing is set in a file by a name in quotes.
_SETTING_WORDS = ("patch", "setattr", "eplace", "mock", "stub")

# Calls that may give this very file, or its names.
_GIVING_MODULES = frozenset({"__import__", "get", "globals", "import_module", "locals", "reload", "vars"})

# What may be, or end with, a text.
_TEXTS = frozenset({ast.BinOp, ast.Constant, ast.JoinedStr})
# What may stand behind a name that is set, be it in a text or not.
_BEHIND = frozenset({"", " ", "'", '"', ":", "="})

# By these a class calls what it gives an attribute to: an object, and never a module.
_INSTANCES = ("self", "cls")

# Calls that are told the name of an attribute only to look at it.
_READING = frozenset({"attrgetter", "getattr", "hasattr", "methodcaller"})

# By one of these a class of tests has something put back at the end of each test, or of all.
_PUTTING_BACK = frozenset(
    {
        "addAsyncCleanup",
        "addClassCleanup",
        "addCleanup",
        "enterAsyncContext",
        "enterClassContext",
        "enterContext",
    }
)

# What gives a further name to what stands in it directly, or hands it out.
_HANDING_ON = (ast.AnnAssign, ast.Assign, ast.Dict, ast.List, ast.NamedExpr, ast.Return, ast.Tuple, ast.Yield)

# Pytest puts back what is replaced by way of these.
_PUTTING_BACK_FIXTURES = frozenset({"mocker", "monkeypatch"})

# With more replacements of one name in force nothing is certain, and it would take long to tell.
_MOST = 50


@record
class Replacement:
    """One place that gives an attribute something new: `patch("app.service.fetch")`, `service.fetch = fake`."""

    name: str
    path: str | None
    """The dotted path up to the name where it is written as a text; "" when only its end is known."""
    owner: ast.expr
    """The object whose attribute it is, or the expression that is the path."""
    scope: Scope
    within: Scope
    """The function or class for which it holds: the decorated one for a decorator."""
    is_setting: bool
    """Whether it certainly sets something: `open_session(connection, "sleep")` may just be told a word."""


_Place: TypeAlias = "tuple[ast.AST, str | None, ast.expr, Scope]"
"""What replaces something, the path and the owner of what it replaces, and the scope in which it stands."""


class Replacements:
    """The places in a file that replace something, by the name that they give something new."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._places: dict[str, list[_Place]] = {}
        for name, place in (*self._assigned(), *self._called()):
            self._places.setdefault(name, []).append(place)
        self._by_home: dict[str, dict[Scope | None, list[Replacement]]] = {}

    def reaching(self, name: str, scope: Scope) -> list[Replacement]:
        """Those of a name that may be in force where something stands: not those of other tests, classes, fixtures."""
        if name not in self._places:
            return []
        by_home = self._by_home.get(name)
        if by_home is None:
            by_home = self._by_home[name] = {}
            for node, path, owner, where in self._places[name]:
                replacement = Replacement(name, path, owner, where, self._within(node, where), _is_setting(node))
                by_home.setdefault(self._home_of(node, replacement.within), []).append(replacement)
        return [
            each
            for home, replacements in by_home.items()
            if home is None or self._is_in_force(home, scope)
            for each in replacements
        ]

    def _is_in_force(self, home: Scope, scope: Scope) -> bool:
        module = self._module
        if home in _around(scope):
            return True
        if runs_at_import(module, scope):
            return False
        function = module.function_at(home)
        if function is None or module.test_of(function) is not None:
            # A test sets itself up only after its fixtures and hooks.
            return not is_test_code(module, scope) and any(
                home in _around(test.function.scope) for test in tests_reaching(module, scope)
            )
        fixture = module.fixture_of(function)
        if fixture is not None:
            return may_be_in_force(module, fixture, scope)
        klass = function.klass
        if klass is None:
            return may_run_together(function, scope)
        return any(klass.is_related_to(each) for each in self._classes_around(scope)) or any(
            is_collected_through(test, klass) for test in tests_reaching(module, scope)
        )

    def _classes_around(self, scope: Scope) -> Iterator[Class]:
        found = (self._module.class_at(each) for each in _around(scope))
        return (klass for klass in found if klass is not None)

    def _home_of(self, node: ast.AST, within: Scope) -> Scope | None:
        """What a replacement is confined to: a test, a fixture, a decorated class, or what sets it up for some tests.

        None when it is to nothing.
        """
        if within.is_class:
            return within
        for at in _around(within):
            function = self._module.function_at(at)
            if function is not None and (
                self._module.test_of(function)
                or self._module.is_fixture(function)
                or _is_for_its_class(function, node)
                or (at is within and _is_for_its_callers(function, node))
            ):
                return at
        return None

    def _within(self, node: ast.AST, scope: Scope) -> Scope:
        """Where a replacement holds: in what it decorates, or in its function; for good in the body of a class."""
        return self._decorated.get(node, self._module.scope if scope.is_class else scope)

    @lazy
    def _decorated(self) -> dict[ast.AST, Scope]:
        return {
            decorator: scope
            for scope in self._module.index.scopes
            if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            for decorator in scope.node.decorator_list
        }

    def _assigned(self) -> Iterator[tuple[str, _Place]]:
        for assignment, scope in self._module.index.settings:
            for target in assignment.targets:
                yield from _attributes_given(target, assignment, scope)
        for kind in (ast.AnnAssign, ast.AugAssign):
            for node, scope in self._module.index.by_kind[kind]:
                assert isinstance(node, (ast.AnnAssign, ast.AugAssign))
                yield from _attributes_given(node.target, node, scope)

    def _called(self) -> Iterator[tuple[str, _Place]]:
        """Whatever call is told a name by a text, be it a patch that is known or not: but for those that only read."""
        for sites in self._module.index.calls.values():
            for node, scope, _ in sites:
                if not node.args or word_of(node.func) in _READING:
                    continue
                first = node.args[0]
                path = _text_of(first) if first.__class__ in _TEXTS else ""
                if "." in path:
                    owner, _, name = path.rpartition(".")
                    yield name, (node, owner, first, scope)
                names = [_text_of(node.args[1])] if len(node.args) > 1 else []
                if isinstance(node.func, ast.Attribute) and node.func.attr == "multiple":
                    names += [keyword.arg or "" for keyword in node.keywords]
                for name in names:
                    yield name, (node, path or None, first, scope)


def _is_setting(node: ast.AST) -> bool:
    return not isinstance(node, ast.Call) or any(word in ast.unparse(node.func) for word in _SETTING_WORDS)


def _is_for_its_class(method: Function, node: ast.AST) -> bool:
    """Whether a method is one of a class of tests that puts back what it replaces, as a decorator of it does."""
    klass = method.klass
    if klass is None or method.is_nested or not belongs_to_tests(method.module, method.scope):
        return False
    if node in method.node.decorator_list:
        return True
    methods = [each for base in klass.lineage for each in base.methods.values()]
    return any(is_tearing_down(each.name) or not words_of(each).isdisjoint(_PUTTING_BACK) for each in methods)


def _is_for_its_callers(helper: Function, node: ast.AST) -> bool:
    """Whether a helper replaces something for a time, and only functions of this file use it."""
    module = helper.module
    return (
        (node in helper.node.decorator_list or (isinstance(node, ast.Call) and _is_put_back(module, node)))
        and helper.outer is module.scope
        and is_only_spoken_of_in_functions(module, helper.name)
    )


def _is_put_back(module: Module, call: ast.Call) -> bool:
    """Whether a call replaces something for a block, or till the end of the test, when pytest puts it back."""
    root = root_of(call.func)
    return entered_by(module, call) is not None or (root is not None and root.id in _PUTTING_BACK_FIXTURES)


def _attributes_given(target: ast.expr, node: ast.AST, scope: Scope) -> Iterator[tuple[str, _Place]]:
    for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
        if isinstance(part, ast.Attribute):
            yield part.attr, (node, None, part.value, scope)


def may_be_in_force(module: Module, fixture: Fixture, scope: Scope) -> bool:
    """Whether what a fixture replaces may be so where something stands: not in a test that does not ask for it."""
    if runs_at_import(module, scope):
        return False
    klass = fixture.klass
    tests = tests_reaching(module, scope)
    if fixture.scope != "function":
        # Another test may have asked for it before, be it one of its class.
        return fixture.scope != "class" or klass is None or any(is_collected_through(test, klass) for test in tests)
    # What a conftest or a module of helpers has is there for the tests of other files.
    if not module.matches_python_files or any(may_set_up(test, fixture) for test in tests):
        return True
    function = outermost_function(module, scope)
    asking = module.fixture_of(function) if function is not None else None
    return asking is not None and fixture in module.fixture_graph.closure_of_fixture(asking).fixtures


# -- the questions ----------------------------------------------------------------------------------------------------


def name_may_be_replaced(module: Module, name: str, scope: Scope) -> bool:
    """Whether a name at the top of this file may mean something new."""
    found = _reaching(module, name, scope)
    return len(found) > _MOST or any(_is_in_this_file(module, each) for each in found)


def function_may_be_replaced(call: Call) -> bool:
    """Whether a library's function may be something new where it is called: in its module, or under a name here.

    The same of a method of one of its objects: `patch.object(loop, "create_task")`.
    """
    function = call.node.func
    if not call.name:
        return isinstance(function, ast.Attribute) and method_may_be_replaced(
            call.module, function, call.scope, of_library=True
        )
    if path_may_be_replaced(call.module, call.name, call.scope):
        return True
    # Of `time.sleep` it is the name of the module that may be patched here.
    root = root_of(function)
    return root is not None and name_may_be_replaced(call.module, root.id, call.scope)


def path_may_be_replaced(module: Module, dotted: str, scope: Scope) -> bool:
    """Whether what is looked up in another module (`app.service.fetch`) may be something new."""
    name = dotted.rpartition(".")[2]
    for conftest, path in _set_by_conftests(module, name, scope):
        if not path or _leads_to(conftest, f"{path}.{name}", module, dotted):
            return True
    found = _reaching(module, name, scope)
    return len(found) > _MOST or any(_reaches_path(module, each, dotted) for each in found)


def method_may_be_replaced(module: Module, node: ast.Attribute, scope: Scope, *, of_library: bool = False) -> bool:
    """Whether a method of a class may be something new, in the class or in the instance."""
    for conftest, path in _set_by_conftests(module, node.attr, scope):
        if not path or path in _INSTANCES or _leads_to_method(conftest, path, of_library=of_library):
            return True
    found = _reaching(module, node.attr, scope)
    return len(found) > _MOST or any(_reaches_method(module, each, node, scope, of_library) for each in found)


def may_change_library(module: Module, replacement: Replacement) -> bool:
    """Whether a replacement may change something of a library: not the attribute of an instance of this file's."""
    owner = replacement.owner
    klass = class_of_first_parameter(module, owner, replacement.scope) if isinstance(owner, ast.Name) else None
    return replacement.is_setting and (klass is None or klass.kind is ClassKind.UNKNOWN)


def _reaching(module: Module, name: str, scope: Scope) -> list[Replacement]:
    # Most names are never replaced, and that can be seen without looking at every call.
    return module.fact(Replacements).reaching(name, scope) if _owners_in_text(module, name) else []


def _set_by_conftests(module: Module, name: str, scope: Scope) -> Iterator[tuple[Module, str]]:
    """What the conftest chain may set under a name: the dotted path of its owner, "" where that cannot be told."""
    for conftest in module.project.conftests(module.directory).modules:
        if conftest is not module:
            for path, place in _owners_in_text(conftest, name):
                fixture = _fixture_around(conftest, place)
                if fixture is None or may_be_in_force(module, fixture, scope):
                    yield conftest, path


def _fixture_around(module: Module, place: int) -> Fixture | None:
    """The fixture in whose text a place is."""
    line = module.text.count("\n", 0, place) + 1
    for fixture in module.fixtures:
        node = fixture.function.node
        if node.lineno <= line <= (node.end_lineno or line):
            return fixture
    return None


def _owners_in_text(module: Module, name: str) -> frozenset[tuple[str, int]]:
    answers = module.fact(_owners_by_name)
    if name not in answers:
        answers[name] = frozenset(_owners_of(module, name))
    return answers[name]


def _owners_by_name(_: Module) -> dict[str, frozenset[tuple[str, int]]]:  # filled name by name
    return {}


def _owners_of(module: Module, name: str) -> Iterator[tuple[str, int]]:
    """Whose name is set where a text says `"app.service.fetch"`, `service, "fetch"` or `service.fetch =`, and where.

    It is "" for what is not written out, but `self` where that gets an attribute. A keyword counts only beside
    `patch.multiple`: `fetch=` of any other call sets nothing.
    """
    # Without a regular expression: compiling one for every name would cost more than all of this.
    text = module.text
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        # Most are followed by something else: they are passed over at once.
        if text[end : end + 1] in _BEHIND and not _goes_on_before(text, start):
            follows = text[end : end + 8].lstrip(" ")
            if follows.startswith(("'", '"')):
                path = _owner_of_text(module, start)
                if path is not None and module.fact(_sets_by_text):
                    yield path, start
            elif follows[:2] != "==" and _sets(module, text[start - 1 : start], follows[:1]):
                owner = text[_start_of_dotted(text, start) : start].rstrip(".")
                if owner not in _INSTANCES:
                    owner = _imported_before(module, start - 1) if text[start - 1 : start] == "." else ""
                yield owner, start
        start = text.find(name, end)


def _goes_on_before(text: str, start: int) -> bool:
    """Whether what begins at a place is only the end of a word."""
    before = text[start - 1 : start]
    return before.isidentifier() or before.isdecimal()


def _sets(module: Module, before: str, follows: str) -> bool:
    """Whether what stands around a name gives it something: `x.name = y`, `x.name: T = y`, `multiple(x, name=y)`."""
    return follows in (":", "=") if before == "." else follows == "=" and module.fact(_sets_by_keyword)


def _sets_by_text(module: Module) -> bool:
    return any(word in module.text for word in _SETTING_WORDS)


def _sets_by_keyword(module: Module) -> bool:
    return "multiple(" in module.text


def _owner_of_text(module: Module, end: int) -> str | None:
    """`app.service` of `"app.service.fetch"`, and of `service, "fetch"`; "" for what is not written out, None in prose.

    What is asked about is the last word of the text in quotes, which begins at `end`.
    """
    text = module.text
    start = _start_of_dotted(text, end)
    before = text[start - 1 : start]
    if before.isspace():
        return None
    if before not in ("'", '"'):
        return ""
    return text[start:end].rstrip(".") or _owner_beside(module, start - 1)


def _owner_beside(module: Module, quote: int) -> str | None:
    """What is imported under the dotted name before a text in quotes, as in `setattr(service, "fetch", ..)`."""
    text = module.text
    comma = len(text[:quote].rstrip()) - 1
    if text[comma] == ":":
        # What a dictionary says of something else: `{"name": "fetch"}`.
        return None
    return _imported_before(module, comma) if text[comma] == "," else ""


def _imported_before(module: Module, end: int) -> str:
    """What is imported under the dotted name that ends at a place, "" when it is none that is imported."""
    first, dot, rest = module.text[_start_of_dotted(module.text, end) : end].partition(".")
    imported = module.project.outlines.imported_as(module.path, first) if first else ""
    # A fixture of the same name gives something else.
    if not imported or _is_in_a_head(module, first):
        return ""
    return imported + dot + rest


def _is_in_a_head(module: Module, name: str) -> bool:
    """Whether a function or a parameter may have that name. Found out once: it takes a look at the whole file."""
    known = module.fact(_names_in_heads)
    if name not in known:
        known[name] = re.search(rf"def {name}\(|def \w+\([^)]*\b{name}\b", module.text) is not None
    return known[name]


def _names_in_heads(_: Module) -> dict[str, bool]:  # filled name by name
    return {}


def _start_of_dotted(text: str, end: int) -> int:
    """Where the dotted name begins that ends at a place."""
    start = end
    while start and (text[start - 1] == "." or text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return start


def _is_in_this_file(module: Module, replacement: Replacement) -> bool:
    if replacement.path is not None:
        return not replacement.path or _file_behind(module, replacement.path)[0] == module.path
    owner = module.value_of(replacement.owner, replacement.scope)
    if isinstance(owner, ast.Call):
        return word_of(owner.func) in _GIVING_MODULES
    if not isinstance(owner, (ast.Name, ast.Attribute)):
        # `sys.modules[__name__]`
        return True
    return _file_behind(module, module.qualified(owner, replacement.scope))[0] == module.path


def _reaches_path(module: Module, replacement: Replacement, dotted: str) -> bool:
    path = replacement.path
    if path is None:
        path = module.qualified(replacement.owner, replacement.scope)
        if not path:
            return replacement.is_setting and not _is_made_here(module, replacement)
    return not path or _leads_to(module, f"{path}.{replacement.name}", module, dotted)


def _leads_to(importer: Module, path: str, module: Module, dotted: str) -> bool:
    """Whether a path as one file writes it may be that of what another one looks up."""
    if path == dotted or path.endswith(f".{dotted}"):
        return True
    wanted = _places_of(module, dotted)
    for _, _, found in module.project.outlines.along_imports(path, importer.directory):
        if found is None:
            return False
        if found in wanted or len(found[1]) < 2:
            return found in wanted
    # It goes on through something that a file defines: who knows what that is.
    return True


def _places_of(module: Module, dotted: str) -> list[tuple[str, tuple[str, ...]]]:
    """The files that a path leads to, one through what the other imports, and what is left of it in each."""
    outlines = module.project.outlines
    places: list[tuple[str, tuple[str, ...]]] = []
    found = outlines.file_behind(dotted, module.directory)
    while found is not None and found not in places:
        places.append(found)
        file, (first, *rest) = found[0], found[1] or ("",)
        imported = outlines.imported_as(file, first) if rest else ""
        found = outlines.file_behind(".".join((imported, *rest)), os.path.dirname(file)) if imported else None
    return places


def _reaches_method(
    module: Module, replacement: Replacement, node: ast.Attribute, scope: Scope, of_library: bool
) -> bool:
    path = replacement.path
    if path is None:
        path = module.qualified(replacement.owner, replacement.scope)
        if not path:
            return _may_be_of_object(module, replacement, node, scope, of_library)
    return not path or _leads_to_method(module, path, of_library=of_library)


def _leads_to_method(importer: Module, path: str, *, of_library: bool) -> bool:
    """Whether a path as a file writes it may be that of a class or an object of the project, or of a library."""
    file, rest = _file_behind(importer, path)
    # What is set in a module is no method, and modules of libraries hardly ever begin with a capital, as classes do.
    return bool(rest) if file else of_library and path.rpartition(".")[2][:1].isupper()


def _may_be_of_object(
    module: Module, replacement: Replacement, node: ast.Attribute, scope: Scope, of_library: bool
) -> bool:
    """Whether `service.fetch = ..` or `self.fetch = ..` may be about the object whose method is called."""
    owner = replacement.owner
    changed = class_of_first_parameter(module, owner, replacement.scope) if isinstance(owner, ast.Name) else None
    if changed is None:
        # Of what has no name both paths are "".
        called_on = module.value_of(node.value, scope) if path_of(owner) else node.value
        is_the_same = path_of(owner) in (path_of(node.value), path_of(called_on))
        if is_the_same and not _are_of_unrelated_classes(module, replacement, node, scope):
            return True
        is_of_another = _is_made_here(module, replacement) and not _may_be_had_by_others(module, replacement)
        return replacement.is_setting and not is_of_another
    called = class_of_first_parameter(module, node.value, scope) if isinstance(node.value, ast.Name) else None
    if called is None:
        # Nobody calls methods on an instance of a test class but the class itself, and what is of a library is made
        # from no class of this file, unless that inherits from one of elsewhere.
        return not changed.may_be_collected and (not of_library or changed.kind is ClassKind.UNKNOWN)
    return called.is_related_to(changed)


def _are_of_unrelated_classes(module: Module, replacement: Replacement, node: ast.Attribute, scope: Scope) -> bool:
    """Whether `self.client` is said twice, of classes of which neither inherits from the other: two objects."""
    changed = _class_at_root(module, replacement.owner, replacement.scope)
    called = _class_at_root(module, node.value, scope)
    return changed is not None and called is not None and not called.is_related_to(changed)


def _class_at_root(module: Module, node: ast.expr, scope: Scope) -> Class | None:
    root = root_of(node)
    return class_of_first_parameter(module, root, scope) if root is not None else None


def _is_made_here(module: Module, replacement: Replacement) -> bool:
    """Whether it is an attribute of something new, such as a mock, or of `self`, and of no module."""
    scope = replacement.scope
    owner = module.value_of(replacement.owner, scope)
    if isinstance(owner, ast.Name) and class_of_first_parameter(module, owner, scope) is not None:
        return True
    # An attribute is as new as what it was given: `client.connected = MagicMock()`.
    made = [owner] if isinstance(owner, ast.Call) else _given_in(module, path_of(owner), scope)
    return bool(made) and all(
        isinstance(value, ast.Call) and not module.qualified(value.func, scope).startswith("importlib.")
        for value in made
    )


def _may_be_had_by_others(module: Module, replacement: Replacement) -> bool:
    """Whether what is made there, and is no mock, gets another name or is handed out: `return client`."""
    scope, root = replacement.scope, root_of(replacement.owner)
    if root is None:
        return False
    made = _given_in(module, root.id, scope)
    if all(isinstance(each, ast.Call) and mock_constructor(module, each.func, scope) is not None for each in made):
        return False
    return any(load.id == root.id and isinstance(scope.parents[load], _HANDING_ON) for load in scope.loads)


def _given_in(module: Module, path: str, scope: Scope) -> list[ast.expr | None]:
    """Whatever a name or a path is given in one scope."""
    return [binding.value for binding in bound_in(module, scope).get(path, ())] if path else []


def _file_behind(module: Module, name: str) -> tuple[str, tuple[str, ...]]:
    found = module.project.outlines.file_behind(name, module.directory) if name else None
    return found if found is not None else ("", ())


def _around(scope: Scope | None) -> Iterator[Scope]:
    while scope is not None and scope.parent is not None:
        yield scope
        scope = scope.parent


def _text_of(node: ast.expr) -> str:
    """The text that an expression is, or ends with: `f"{__name__}.fetch"` gives `.fetch`."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[-1]
    elif isinstance(node, ast.BinOp):
        node = node.right
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
