"""Which calls of a file may be of coroutine functions and stand behind no `await`: told by names alone.

Most calls of a test file are of nothing asynchronous, and of the others most are awaited. What a name means costs
something to find out, so it is found out for what is left.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import Kind
from flake8_async_tests.inference.values.bindings import bound_in, path_of
from flake8_async_tests.lazy import lazy
from flake8_async_tests.project.texts import ITSELF, joined, names_in_library
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.known_coroutines import is_of_library
from flake8_async_tests.source.names import IMPORTING_WORDS, imported_by_call, source_of, word_of
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import CallSite, Scope

_OF_SQLALCHEMY = ("AsyncSession", "AsyncEngine", "AsyncConnection", "async_engine", "sessionmaker")
# Where none of these words stands, nothing makes or names such a client.
_WORDS_OF_CLIENTS = {
    Kind.HTTPX_ASYNC_CLIENT: ("AsyncClient",),
    Kind.HTTPX_RESPONSE: ("httpx",),
    Kind.AIOHTTP_SESSION: ("ClientSession",),
    Kind.AIOHTTP_RESPONSE: ("ClientSession", "ClientResponse"),
    Kind.ASYNC_CONNECTION: _OF_SQLALCHEMY,
    Kind.ASYNC_ENGINE: _OF_SQLALCHEMY,
    Kind.ASYNC_SESSION: _OF_SQLALCHEMY,
}
CLIENTS = frozenset(_WORDS_OF_CLIENTS)
# The words of the clients that have a coroutine method, by its name.
_WORDS_BY_METHOD = {
    method: {words for kind, words in _WORDS_OF_CLIENTS.items() if method in kind.coroutine_methods}
    for method in {method for kind in CLIENTS for method in kind.coroutine_methods}
}
# Builtins that look into what they are given, or iterate over it.
LOOKING_BUILTINS = frozenset(
    {
        "all",
        "any",
        "bool",
        "dict",
        "float",
        "int",
        "len",
        "list",
        "max",
        "min",
        "set",
        "sorted",
        "str",
        "sum",
        "tuple",
    }
)
UNITTEST_ASSERTIONS = frozenset(
    {
        "assertAlmostEqual",
        "assertCountEqual",
        "assertDictEqual",
        "assertEqual",
        "assertFalse",
        "assertGreater",
        "assertGreaterEqual",
        "assertIn",
        "assertIsNone",
        "assertIsNotNone",
        "assertLess",
        "assertLessEqual",
        "assertListEqual",
        "assertMultiLineEqual",
        "assertNotAlmostEqual",
        "assertNotEqual",
        "assertNotIn",
        "assertNotRegex",
        "assertRegex",
        "assertSequenceEqual",
        "assertSetEqual",
        "assertTrue",
        "assertTupleEqual",
    }
)

# What is awaited, or given to whoever called the function, is seen to.
_SETTLING = frozenset({ast.Await, ast.Return})


class Candidates:
    """What may be a coroutine function in a file. Each name is judged when it is first asked about."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._calls = module.index.calls
        self._imported = self._imports()
        """What the imports bind that may have something to do with coroutine functions, and what that may mean."""
        self._stars = tuple(filter(self._is_of_interest, module.fact(star_imports)))
        self._judged: dict[tuple[str, Scope | None], bool] = {}
        self._makers: dict[tuple[Scope, str], dict[str, ast.expr]] = {}
        """What is called to make what a name holds: each function or class once, by its path."""
        self._own_classes: set[str] = set()
        functions: set[str] = set()
        methods: set[str] = set()
        for scope in module.index.scopes:
            node = scope.node
            if node.__class__ is ast.AsyncFunctionDef:
                functions.add(node.name)
                if scope.parent is not None and scope.parent.is_class:
                    methods.add(node.name)
            elif node.__class__ is ast.ClassDef:
                self._own_classes.add(node.name)
        self._functions = module.names.tails_of_any(functions)
        """The names of the coroutine functions of this file."""
        self._methods = module.names.tails_of_any(methods)
        """The same of those that may be reached as attributes."""
        self._assigned = {word for renaming in self._renamings() for word in _words_assigned(renaming)}
        """What may have been given a coroutine function, or an AsyncMock."""
        self._mocks = self._calls_for_mocks()
        for call, _, holder in self._mocks:
            self._assigned.update(self._words_given(call, holder))
        if self._mocks:
            self._assigned.update(self._injected())

    def _imports(self) -> dict[str, set[str]]:
        module = self._module
        found: dict[str, set[str]] = {}
        for node, _ in module.of_kind(ast.ImportFrom):
            base = source_of(node)
            if self._is_of_interest(base):
                for alias in node.names:
                    if alias.name != "*":
                        found.setdefault(alias.asname or alias.name, set()).add(joined(base, alias.name))
        for statement, _ in module.of_kind(ast.Import):
            for alias in statement.names:
                first = alias.name.partition(".")[0]
                if self._is_of_interest(first):
                    found.setdefault(alias.asname or first, set()).add(alias.name if alias.asname else first)
        for word in IMPORTING_WORDS & self._calls.keys():
            for call, _, holder in self._calls[word]:
                imported = imported_by_call(call)
                if isinstance(holder, ast.Assign) and imported and self._is_of_interest(imported):
                    for local in _words_assigned(holder):
                        found.setdefault(local, set()).add(imported)
        if found:
            self._add_renamed(found)
        return found

    def _add_renamed(self, meanings: dict[str, set[str]]) -> None:
        """What is imported under further names: `aio = asyncio`."""
        renamings: dict[str, list[ast.Assign]] = {}
        for renaming, _ in self._module.index.renamings:
            renamings.setdefault(path_of(renaming.value).partition(".")[0], []).append(renaming)
        todo = sorted(renamings.keys() & meanings.keys())
        while todo:
            name = todo.pop()
            for renaming in renamings.pop(name, ()):
                _, dot, rest = path_of(renaming.value).partition(".")
                for target in renaming.targets:
                    if isinstance(target, ast.Name) and target.id != name:
                        meanings.setdefault(target.id, set()).update(each + dot + rest for each in meanings[name])
                        todo.append(target.id)

    def _is_of_interest(self, dotted: str) -> bool:
        """Whether a module is of the project, or of a library whose coroutine functions are known."""
        return is_of_library(dotted) or self._module.project.may_have(dotted, self._module.directory)

    def _is_of_client_in_view(self, method: str) -> bool:
        """Whether it is the name of a coroutine method of a client that there may be in view."""
        return any(
            _speaks_of(module, words) for words in _WORDS_BY_METHOD.get(method, ()) for module in self._modules_in_view
        )

    @lazy
    def _modules_in_view(self) -> tuple[Module, ...]:
        return (self._module, *self._module.project.conftests(self._module.directory).modules)

    # -- the calls that are worth a look -----------------------------------------------------------------------------

    def calls(self) -> list[CallSite]:
        """Those calls that may be of a coroutine function and are neither awaited nor entered nor handed on."""
        calls = self._calls
        return [
            site
            for word in self.words
            for site in calls[word]
            if self._is_open(site) and self.may_be_function(site[0].func, site[1])
        ]

    def _is_open(self, site: CallSite) -> bool:
        """Whether the coroutine that a call may give is dropped where it stands, or may be looked at."""
        call, _, holder = site
        if holder is None:
            if call in self._module.index.handed_to:
                return self._looks(self._module.index.handed_to[call])
            return call not in self._entered and call not in self._yielded
        if isinstance(holder, ast.Assign):
            return any(
                target.id in self._checked
                if isinstance(target, ast.Name)
                else isinstance(target, (ast.Tuple, ast.List))
                for target in holder.targets
            )
        return holder.__class__ not in _SETTLING

    def _looks(self, call: ast.Call) -> bool:
        """Whether a call looks at once at what it gets."""
        if isinstance(call.func, ast.Attribute):
            return call.func.attr.startswith("assert")
        return word_of(call.func) in self._looking

    @lazy
    def _looking(self) -> set[str]:
        return self._module.names.tails_of_any(LOOKING_BUILTINS)

    @lazy
    def _entered(self) -> dict[ast.expr, ast.expr | None]:
        """What each block enters, and the name that it gets."""
        return {item.context_expr: item.optional_vars for block, _ in self._module.with_blocks for item in block.items}

    @lazy
    def _yielded(self) -> set[ast.expr | None]:
        found: set[ast.expr | None] = {node.value for node, _ in self._module.of_kind(ast.Yield)}
        found.update(node.value for node, _ in self._module.of_kind(ast.YieldFrom))
        return found

    @lazy
    def _checked(self) -> set[str]:
        """The names that are compared, or asserted in another way."""
        found = set(self._module.index.compared)
        todo: list[ast.expr] = []
        for holder, _ in self._module.index.uncalled:
            if isinstance(holder, ast.Assert):
                todo.append(holder.test)
        for method in UNITTEST_ASSERTIONS & self._calls.keys():
            for call, _, _ in self._calls[method]:
                todo += call.args
                todo += (keyword.value for keyword in call.keywords)
        while todo:
            node = todo.pop()
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, (ast.BoolOp, ast.UnaryOp, ast.IfExp, ast.NamedExpr)):
                todo += (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        return found

    @lazy
    def words(self) -> set[str]:
        """The last words of calls that may be of a coroutine function of whatever is in view."""
        words = self._calls.keys()
        found: set[str] = set()
        for names in (self._functions, self._methods, self._assigned, self._inherited):
            if names:
                found |= words & names
        for method in words & _WORDS_BY_METHOD.keys():
            # Whether there is a client takes some looks at the whole text: asked last.
            if self._is_called_openly(method) and self._is_of_client_in_view(method):
                found.add(method)
        found.update(self._called_of_fixtures())
        for word, dotted in self._imported_and_used():
            names = self._names_of(dotted)
            if names:
                # A coroutine function, or a class that has some.
                found |= words & ({word} if ITSELF in names else names)
        found.discard("")
        return found

    def _imported_and_used(self) -> Iterator[tuple[str, str]]:
        """What is imported, and what it means, of which an open call may be: of itself, or of one of its methods."""
        reached = self._module.index.reached
        renamed = {word_of(node.value) for node in self._renamings()}
        for local, meanings in self._imported.items():
            if local in reached or local in renamed or self._is_called_openly(local):
                yield from ((local, dotted) for dotted in meanings)
        for star in self._stars:
            for word in self._calls:
                yield word, joined(star, word)
        yield from self._called_of_modules()

    def _is_called_openly(self, name: str) -> bool:
        """Whether what a call of a name gives is dropped or looked at, or named, entered, or asked for more."""
        handed_to = self._module.index.handed_to
        return any(
            holder.__class__ is ast.Assign
            or (self._looks(handed_to[call]) if call in handed_to else holder.__class__ not in _SETTLING)
            for call, _, holder in self._calls.get(name, ())
        )

    def _is_module(self, local: str, dotted: str) -> bool:
        if is_of_library(dotted):
            return True
        outlines = self._module.project.outlines
        if outlines.file_behind(dotted, self._module.directory) is not None:
            return outlines.is_module(dotted, self._module.directory)
        # `import app` may lead to modules below a folder that is none itself.
        return local == dotted and self._module.project.has_top_level(dotted, self._module.directory)

    def _called_of_modules(self) -> set[tuple[str, str]]:
        """What is called as an attribute of modules, by its last word."""
        found: set[tuple[str, str]] = set()
        reached = self._module.index.reached
        for name in self._imported.keys() & reached.keys():
            modules = [meaning for meaning in self._imported[name] if self._is_module(name, meaning)]
            for function in reached[name]:
                if function.value.__class__ is not ast.Name:
                    found.update((function.attr, dotted) for dotted in self._meanings(function))
                else:
                    found.update((function.attr, f"{meaning}.{function.attr}") for meaning in modules)
        return found

    def _called_of_fixtures(self) -> Iterator[str]:
        """The coroutine methods that are called on what fixtures make."""
        reached = self._module.index.reached
        for module in self._modules_in_view:
            candidates = module.fact(Candidates)
            for name in candidates.made_by_fixtures.keys() & reached.keys():
                for function in reached[name]:
                    if candidates.may_be_made_by(name, function.attr):
                        yield function.attr

    @lazy
    def made_by_fixtures(self) -> dict[str, list[ast.expr]]:
        """What is called to make what the fixtures of this file give, by the names of these."""
        found: dict[str, list[ast.expr]] = {}
        for fixture in self._module.fixtures:
            scope = fixture.function.scope
            for given in fixture.function.values_given():
                values = [given]
                if isinstance(given, ast.Name):
                    values = [each.value for each in bound_in(self._module, scope).get(given.id, ()) if each.value]
                makers = [class_made(value) for value in values if isinstance(value, ast.Call)]
                if makers:
                    found.setdefault(fixture.name, []).extend(makers)
        return found

    def may_be_made_by(self, fixture: str, method: str) -> bool:
        """Whether a fixture of this file may make an instance of a class with that coroutine method."""
        return any(
            (method in self._methods and word_of(maker) in self._own_classes) or self._may_make(maker, method)
            for maker in self.made_by_fixtures.get(fixture, ())
        )

    # -- what a name may mean ----------------------------------------------------------------------------------------

    def may_be_function(self, node: ast.expr, scope: Scope) -> bool:
        """Whether a name or path may mean a coroutine function, be it that it was given one."""
        return self.may_hold_function(node) or self.may_be_defined(node, scope)

    def may_be_defined(self, node: ast.expr, scope: Scope) -> bool:
        """Whether a name or path may mean a coroutine function by what defines it, or the class that it is of."""
        if word_of(node) in (self._methods if isinstance(node, ast.Attribute) else self._functions):
            return True
        if isinstance(node, ast.Attribute):
            path = path_of(node)
            if not path:
                return self._may_be_method(node, scope)
            key = (path, self._module.names.binding_scope(path.partition(".")[0], scope))
            if key not in self._judged:
                self._judged[key] = self._may_be_method(node, scope)
            return self._judged[key]
        return any(self._may_have(dotted, ITSELF) for dotted in self._meanings(node))

    def may_hold_function(self, node: ast.expr) -> bool:
        """Whether a name or path may have been given a coroutine function or an AsyncMock."""
        return word_of(node) in self._assigned

    def may_be_of_client(self, node: ast.Attribute) -> bool:
        return self._is_of_client_in_view(node.attr)

    def _may_be_method(self, node: ast.Attribute, scope: Scope) -> bool:
        if self.may_be_of_client(node):
            return True
        receiver, method = node.value, node.attr
        for dotted in self._meanings(node):
            if self._may_have(dotted, ITSELF) or self._may_have(dotted, method):
                return True
        if isinstance(receiver, ast.Call):
            return self._may_make(class_made(receiver), method)
        if isinstance(receiver, ast.Attribute):
            makers = self._makers_of_attributes.get(receiver.attr, {})
            return any(self._may_make(maker, method) for maker in makers.values())
        return isinstance(receiver, ast.Name) and self._may_be_of(receiver.id, method, scope)

    def _may_be_of(self, name: str, method: str, scope: Scope) -> bool:
        """Whether what a name of this file holds may have a coroutine method."""
        owner = self._module.names.binding_scope(name, scope)
        if owner is None:
            return False
        makers = self._makers.get((owner, name))
        if makers is None:
            makers = self._makers[owner, name] = {}
            for binding in bound_in(self._module, owner).get(name, ()):
                if binding.value is None:
                    # `self`, or a class of this file.
                    makers["super"] = ast.Name("super", ast.Load())
                elif isinstance(binding.value, ast.Call):
                    maker = class_made(binding.value)
                    makers[path_of(maker)] = maker
        return any(self._may_make(maker, method) for maker in makers.values()) or any(
            module.fact(Candidates).may_be_made_by(name, method) for module in self._modules_in_view
        )

    def _may_make(self, node: ast.expr, method: str) -> bool:
        """Whether a call of something may make an instance of a class with that coroutine method."""
        word = word_of(node)
        if word in self._assigned:
            return True
        if word in self._own_classes or word == "super":
            return method in self._inherited
        return any(self._may_have(dotted, method) for dotted in self._meanings(node))

    @lazy
    def _inherited(self) -> frozenset[str]:
        """The coroutine methods that the classes of this file may have from bases of others."""
        nodes = (scope.node for scope in self._module.index.scopes)
        bases = [base for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases]
        return frozenset(
            name
            for base in bases
            for dotted in self._meanings(base.value if isinstance(base, ast.Subscript) else base)
            for name in self._names_of(dotted)
        )

    @lazy
    def _makers_of_attributes(self) -> dict[str, dict[str, ast.expr]]:
        """What is called to make what attributes are given, by these: each function or class once, by its path."""
        given: list[tuple[str, ast.expr]] = []
        for assignment, _ in self._module.index.settings:
            given += ((word, assignment.value) for word in _words_assigned(assignment))
        for value, annotated in self._annotated.items():
            given += ((word, value) for word in _words_assigned(annotated))
        given += ((word_of(target), entered) for entered, target in self._entered.items())
        found: dict[str, dict[str, ast.expr]] = {}
        for word, value in given:
            if isinstance(value, ast.Call):
                found.setdefault(word, {})[path_of(class_made(value))] = class_made(value)
        return found

    def _meanings(self, node: ast.expr) -> Iterator[str]:
        """The dotted names that a name or path may mean of what the file imports."""
        path = path_of(node)
        first, dot, rest = path.partition(".")
        imported = self._imported.get(first)
        if imported:
            yield from (meaning + dot + rest for meaning in imported)
        elif path:
            yield from (joined(star, path) for star in self._stars)

    def _may_have(self, dotted: str, name: str) -> bool:
        """Whether a dotted name may give a coroutine function, be it ITSELF or a method, looked at closely."""
        return name in self._names_of(dotted) and name in self._names_of(dotted, closely=True)

    def _names_of(self, dotted: str, *, closely: bool = False) -> frozenset[str]:
        """Which coroutine functions a dotted name may give: those of a library, or by the text of the project."""
        if is_of_library(dotted):
            names = names_in_library(dotted)
            # The suite at hand may be that of the library itself.
            if names or not self._module.project.may_have(dotted, self._module.directory):
                return names
        return self._module.project.outlines.coroutine_names(dotted, self._module.directory, closely=closely)

    # -- what is given to names ----------------------------------------------------------------------------------------

    def _renamings(self) -> Iterator[ast.Assign | ast.AnnAssign]:
        """What gives something another name."""
        yield from (renaming for renaming, _ in self._module.index.renamings)
        yield from (node for value, node in self._annotated.items() if isinstance(value, (ast.Name, ast.Attribute)))

    def _words_given(self, call: ast.Call, holder: ast.AST | None) -> Iterator[str]:
        """The names and attributes that are given what a call makes, or what entering that gives."""
        if isinstance(holder, ast.Assign):
            yield from _words_assigned(holder)
        elif call in self._entered:
            target = self._entered[call]
            if isinstance(target, ast.Name):
                yield target.id
        elif call in self._annotated:
            yield from _words_assigned(self._annotated[call])

    @lazy
    def _annotated(self) -> dict[ast.expr, ast.AnnAssign]:
        return {node.value: node for node, _ in self._module.of_kind(ast.AnnAssign) if node.value is not None}

    def _injected(self) -> Iterator[str]:
        """What `@patch(.., new_callable=AsyncMock)` passes to the function below it."""
        mocks: set[ast.expr] = {call for call, _, _ in self._mocks}
        for scope in self._module.index.scopes:
            node = scope.node if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
            if node is not None and not mocks.isdisjoint(node.decorator_list):
                yield from (argument.arg for argument in arguments_of(node))

    def _calls_for_mocks(self) -> list[CallSite]:
        """The calls that may make an AsyncMock, be it as a patch."""
        names = self._module.names.tails_of("AsyncMock")
        found = [site for name in names for site in self._calls.get(name, ())]
        for maker in ("patch", "object"):
            for site in self._calls.get(maker, ()):
                kind = keyword_value(site[0], "new_callable")
                new = keyword_value(site[0], "new")
                makers = [kind, *(each.func for each in (*site[0].args, new) if isinstance(each, ast.Call))]
                if any(each is not None and word_of(each) in names for each in makers):
                    found.append(site)
        return found


def _speaks_of(module: Module, words: tuple[str, ...]) -> bool:
    """Whether one of some words stands in a file."""
    known = module.fact(_said)
    if words not in known:
        known[words] = any(word in module.text for word in words)
    return known[words]


def _said(_: Module) -> dict[tuple[str, ...], bool]:
    """What is known so far of the words of clients."""
    return {}


def class_made(call: ast.Call) -> ast.expr:
    """What a call makes an instance of, if that is a class: `Store` of `Store()` and of `Store[str]()`."""
    return call.func.value if isinstance(call.func, ast.Subscript) else call.func


def star_imports(module: Module) -> tuple[str, ...]:
    """The modules from which a file imports everything."""
    return tuple(source_of(node) for node in module.own_from_imports if node.names[0].name == "*")


_NO_NAMES: frozenset[str] = frozenset()


def _words_assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        word = word_of(target)
        if word:
            yield word
