"""Whether code may need an event loop that is running, though it awaits nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines.known import coroutine_function_called
from flake8_async_tests.inference.places.exceptions import expects_refusal
from flake8_async_tests.inference.places.parts import nodes_of
from flake8_async_tests.inference.values.elsewhere import find_elsewhere
from flake8_async_tests.project.texts import joined
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How many functions are looked into on the way from a test to what it may come to. Behind so many anything may be.
_MOST_FUNCTIONS = 512

# Those whose classes look for a loop when an instance of them is made, be it one of an heir.
_MADE_ON_A_LOOP = ("aiodataloader.", "janus.")
_CLASSES_MADE_ON_A_LOOP = frozenset(
    {"aiohttp.ClientSession", "asyncio.Future", "asyncio.StreamReader", "asyncio.StreamReaderProtocol", "asyncio.Task"}
)
_LIBRARIES = (
    *_MADE_ON_A_LOOP,
    "aiohttp.",
    "anyio.",
    "apscheduler.schedulers.asyncio.",
    "asyncio.",
    "grpc.aio.",
    "sniffio.",
    "trio.",
    "uvloop.",
)
_NEEDS_NONE = frozenset(
    {
        "asyncio.BoundedSemaphore",
        "asyncio.Condition",
        "asyncio.Event",
        "asyncio.LifoQueue",
        "asyncio.Lock",
        "asyncio.PriorityQueue",
        "asyncio.Queue",
        "asyncio.Semaphore",
        "asyncio.iscoroutine",
        "asyncio.iscoroutinefunction",
        "asyncio.isfuture",
        "asyncio.new_event_loop",
        "asyncio.run",
    }
)
# These fail where a loop is running already.
_STARTS_LOOP = "asyncio.run"
_STARTING_METHOD = "run_until_complete"
_ASKING_FOR_CLASS = frozenset({"builtins.isinstance", "builtins.issubclass"})
_METHODS = frozenset(
    {
        "add_done_callback",
        "call_at",
        "call_later",
        "call_soon",
        "call_soon_threadsafe",
        "create_future",
        "create_task",
        "ensure_future",
        "get_event_loop",
        "get_running_loop",
        "run_coroutine_threadsafe",
        "run_in_executor",
        "start_soon",
    }
)


def may_need_running_loop(module: Module, scope: Scope, givers: Iterable[Function]) -> bool:
    """Whether something that a test mentions, or code of the project that it may come to, wants a loop.

    What its decorators and the functions of its fixtures mention may be given to it. What a method is called on mostly
    cannot be told: each one of that name counts, of any class in the files that are come to.
    """
    search = _Search(module)
    search.look_into(module, scope)
    for giver in givers:
        search.look_into(giver.module, giver.scope)
    # A second loop is refused only while the first one is running.
    return search.finds_need() or (search.finds_start and expects_refusal(module, scope))


@record
class _Part:
    """The body of a function or lambda, or what stands at its head in the scope around: its decorators."""

    module: Module
    scope: Scope
    head_of: Scope | None = None

    def nodes(self) -> Iterator[ast.AST]:
        node = (self.head_of or self.scope).node
        if isinstance(node, ast.Lambda):
            return nodes_of([node.body])
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        return _evaluated(node.decorator_list if self.head_of is not None else node.body)


def _evaluated(parts: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a function's body but annotations, which Python does not evaluate there."""
    annotations: set[ast.AST] = set()
    for node in nodes_of(parts):
        if node in annotations:
            continue
        if isinstance(node, ast.AnnAssign):
            annotations.update(nodes_of([node.annotation]))
        yield node


@record
class _Mentions:
    """What a part mentions: whether that needs a loop already, and if not, what is to be looked into."""

    need_loop: bool
    attributes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Those from other modules, qualified."""
    only_named: frozenset[str] = frozenset()
    """Of these those that nothing calls or hands on: the class in `Status.OPEN` or `isinstance(order, Order)`."""
    definitions: tuple[ast.AST, ...] = ()
    """Functions, classes and lambdas of the same file."""


class _Search:
    """One question, with the code, the files and the attributes that were come to."""

    def __init__(self, module: Module) -> None:
        self._todo: list[_Part] = []
        self._seen: set[Scope] = set()
        self._modules: dict[Module, None] = {module: None}
        self._attributes: dict[str, None] = {}
        self._names: set[tuple[Module, str, bool]] = set()
        self._is_cut_short = False
        self.finds_start = False
        """Whether something that was come to starts a loop itself."""
        self._makes_on_loop = False

    def look_into(self, module: Module, scope: Scope) -> None:
        """Come to a function, with its decorators, or to a lambda."""
        if scope in self._seen or self._is_cut_short:
            return
        self._is_cut_short = len(self._seen) >= _MOST_FUNCTIONS
        self._seen.add(scope)
        self._todo.append(_Part(module, scope))
        if not isinstance(scope.node, ast.Lambda):
            assert scope.parent is not None
            self._todo.append(_Part(module, scope.parent, scope))

    def finds_need(self) -> bool:
        while self._todo:
            part = self._todo.pop()
            mentions = _mentioned_in(part)
            if mentions.need_loop:
                return True
            if _STARTS_LOOP in mentions.names or _STARTING_METHOD in mentions.attributes:
                self.finds_start = True
            self._come_to(part.module, mentions)
        # What was not looked into may need one.
        return self._is_cut_short or self._makes_on_loop

    def _come_to(self, module: Module, mentions: _Mentions) -> None:
        for attribute in mentions.attributes:
            self._come_to_attribute(attribute)
        for definition in mentions.definitions:
            self._come_to_definition(module, definition)
        for name in mentions.names:
            self._come_to_definition_elsewhere(module, name, is_only_named=name in mentions.only_named)

    def _come_to_attribute(self, attribute: str) -> None:
        if attribute not in self._attributes:
            self._attributes[attribute] = None
            for module in self._modules:
                self._come_to_methods(module, attribute)

    def _come_to_definition_elsewhere(self, module: Module, qualified: str, *, is_only_named: bool = False) -> None:
        if (module, qualified, is_only_named) in self._names:
            return
        self._names.add((module, qualified, is_only_named))
        elsewhere = find_elsewhere(module, qualified)
        if elsewhere is None:
            return
        if elsewhere.module not in self._modules:
            self._modules[elsewhere.module] = None
            for attribute in self._attributes:
                self._come_to_methods(elsewhere.module, attribute)
        if is_only_named:
            return
        for meaning in [elsewhere.definition] if elsewhere.definition is not None else elsewhere.meanings:
            if isinstance(meaning, str):
                self._come_to_definition_elsewhere(elsewhere.module, meaning)
            else:
                self._come_to_definition(elsewhere.module, meaning)

    def _come_to_definition(self, module: Module, definition: ast.AST) -> None:
        if isinstance(definition, ast.ClassDef):
            klass = module.class_of_node(definition)
            for each in klass.lineage if klass is not None else ():
                self._come_to_what_python_calls(each)
        elif isinstance(definition, ast.Lambda):
            self.look_into(module, module.fact(_scopes_of_lambdas)[definition])
        else:
            self._come_to_function(module.function_of_node(definition))

    def _come_to_what_python_calls(self, klass: Class) -> None:
        """The methods that run without being mentioned: `__init__`, `__enter__`, `__call__`, `__getattr__`.

        Not `__del__`, whose failures no test notices.
        """
        if klass.scope in self._seen:
            return
        self._seen.add(klass.scope)
        for name, method in klass.methods.items():
            if name.startswith("__") and name != "__del__":
                self._come_to_function(method)
        for base in klass.foreign_bases:
            self._makes_on_loop = (
                self._makes_on_loop or base in _CLASSES_MADE_ON_A_LOOP or base.startswith(_MADE_ON_A_LOOP)
            )
            self._come_to_definition_elsewhere(klass.module, base)

    def _come_to_methods(self, module: Module, attribute: str) -> None:
        for method in module.fact(_methods_by_name).get(attribute, ()):
            self._come_to_function(method)

    def _come_to_function(self, function: Function | None) -> None:
        if function is not None and not function.is_async:
            self.look_into(function.module, function.scope)


def _mentioned_in(part: _Part) -> _Mentions:
    """What a part mentions. Many tests come to the same ones."""
    known = part.module.fact(_known_mentions)
    key = (part.scope, part.head_of)
    if key not in known:
        known[key] = _look_through(part)
    return known[key]


def _known_mentions(_: Module) -> dict[tuple[Scope, Scope | None], _Mentions]:  # filled when one is asked for
    return {}


def _look_through(part: _Part) -> _Mentions:
    module, scope = part.module, part.scope
    attributes: dict[str, None] = {}
    names: dict[str, None] = {}
    called: set[str] = set()
    definitions: dict[ast.AST, None] = {}
    only_named: set[ast.AST] = set()
    for node in part.nodes():
        only_named.update(_only_named_in(module, node, scope))
        if isinstance(node, ast.Attribute):
            if node.attr in _METHODS:
                return _Mentions(need_loop=True)
            if not _is_of_super(module, node, scope):
                attributes[node.attr] = None
        elif isinstance(node, ast.Call):
            if _wants_loop(module, node, scope):
                return _Mentions(need_loop=True)
        elif isinstance(node, ast.Lambda):
            definitions[node] = None
        if isinstance(node, (ast.Attribute, ast.Name)):
            name = module.qualified(node, scope)
            meant = [name] if name else _names_by_stars(module, node, scope)
            names.update(dict.fromkeys(meant))
            if node in only_named:
                continue
            called.update(meant)
            if isinstance(node, ast.Name):
                if name.startswith(_LIBRARIES) and name.rpartition(".")[2] in _METHODS:
                    return _Mentions(need_loop=True)
                for meaning in _meanings_of(module, node, scope):
                    if isinstance(meaning, str):
                        names[meaning] = None
                        called.add(meaning)
                    else:
                        definitions[meaning] = None
    names.pop("", None)
    return _Mentions(
        need_loop=False,
        attributes=tuple(attributes),
        names=tuple(names),
        only_named=frozenset(names.keys() - called),
        definitions=tuple(definitions),
    )


def _meanings_of(module: Module, node: ast.Name, scope: Scope) -> Iterable[str | ast.AST]:
    """The function, class or lambda of this file that a name means.

    All that it may mean where it has several bindings, such as imports of which one is tried after the other.
    """
    value = module.value_of(node, scope)
    definition = value if isinstance(value, ast.Lambda) else module.names.definition(value, scope)
    if definition is not None:
        return [definition]
    owner = module.names.owner_of(node, scope) if not module.qualified(node, scope) else None
    return module.names.may_mean(node.id, owner) if owner is not None else ()


def _names_by_stars(module: Module, node: ast.expr, scope: Scope) -> list[str]:
    """What a name may be that nothing in the file binds, because it imports everything from some modules."""
    if not isinstance(node, ast.Name) or module.names.binding_scope(node.id, scope) is not None:
        return []
    return [joined(star, node.id) for star in module.project.outlines.star_imports_of(module.path)]


def _only_named_in(module: Module, node: ast.AST, scope: Scope) -> Iterable[ast.AST]:
    """What stands in a node, further in than itself, and is neither called there nor handed on."""
    if isinstance(node, ast.Attribute):
        return [] if _may_be_made_by(module, node, scope) else [node.value]
    if isinstance(node, ast.Call) and module.qualified(node.func, scope) in _ASKING_FOR_CLASS:
        return nodes_of(node.args[1:])
    if isinstance(node, ast.ExceptHandler) and node.type is not None:
        return nodes_of([node.type])
    return []


def _may_be_made_by(module: Module, node: ast.Attribute, scope: Scope) -> bool:
    """Whether an attribute may make an instance of the class that has it, as a class method does, or has no class."""
    definition: ast.AST | None = module.names.definition(node.value, scope)
    if definition is None:
        elsewhere = find_elsewhere(module, module.qualified(node.value, scope))
        if elsewhere is None:
            return True
        module, definition = elsewhere.module, elsewhere.definition
    klass = module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
    return klass is None or klass.find_method(node.attr) is not None


def _methods_by_name(module: Module) -> dict[str, list[Function]]:
    found: dict[str, list[Function]] = {}
    for klass in module.classes:
        for name, method in klass.methods.items():
            found.setdefault(name, []).append(method)
    return found


def _is_of_super(module: Module, node: ast.Attribute, scope: Scope) -> bool:
    """Whether it is what Python calls of the classes above, which were come to with the one below: `super().__init__`.

    It would be that of every class of the file else.
    """
    if not node.attr.startswith("__") or not isinstance(node.value, ast.Call):
        return False
    return module.qualified(node.value.func, scope) == "builtins.super"


def _scopes_of_lambdas(module: Module) -> dict[ast.AST, Scope]:
    return {scope.node: scope for scope in module.index.scopes if isinstance(scope.node, ast.Lambda)}


def _wants_loop(module: Module, node: ast.Call, scope: Scope) -> bool:
    name = _absolute(module, module.qualified(node.func, scope))
    if name in _NEEDS_NONE:
        return False
    return name.startswith(_LIBRARIES) or bool(coroutine_function_called(module.call_at(node, scope)))


def _absolute(module: Module, qualified: str) -> str:
    """A name as seen from outside: `._core.current_task` is `trio._core.current_task` in trio's own files."""
    return module.project.absolute_name(qualified, module) if qualified.startswith(".") else qualified
