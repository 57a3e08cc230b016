"""Whether an expression is known to be an event loop of asyncio, or a runner of one."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.places.parts import is_test_code, place_of
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced, method_may_be_replaced
from flake8_async_tests.inference.uses.handover import captures, loads_of
from flake8_async_tests.inference.values.bindings import alternatives_of
from flake8_async_tests.inference.values.elsewhere import find_elsewhere
from flake8_async_tests.inference.values.flow import Binding, Kind, bindings_at, class_of_parameter
from flake8_async_tests.inference.values.instances import given_by_heirs, sets_up
from flake8_async_tests.source.annotations import class_annotated
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.functions import ClassKind, kind_of_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

    Question = Callable[[Module, ast.expr, Scope, int], bool]
    Said = Callable[[Module, Binding, int], bool]

# How many classes are looked at of which another one is made.
_MOST_CLASSES = 20
# How many names and fixtures are followed from the place where a loop is used to the one where it is made.
_DEPTH = 6

_MAKERS = frozenset(
    {
        "asyncio.ProactorEventLoop",
        "asyncio.SelectorEventLoop",
        "asyncio.new_event_loop",
        "uvloop.Loop",
        "uvloop.new_event_loop",
    }
)
_LOOPS_FROM_BEFORE = frozenset({"asyncio.get_event_loop", "asyncio.get_running_loop"})
_LOOPS = _MAKERS | _LOOPS_FROM_BEFORE
_LOOP_TYPES = frozenset(
    {
        "asyncio.AbstractEventLoop",
        "asyncio.BaseEventLoop",
        "asyncio.ProactorEventLoop",
        "asyncio.SelectorEventLoop",
        "uvloop.Loop",
    }
)
# Classes of libraries that run sync tests as they are, and make no loop the current one for them.
_CLASSES_WITHOUT_LOOP = frozenset(
    {
        "absl.testing.absltest.TestCase",
        "absl.testing.parameterized.TestCase",
        "django.test.LiveServerTestCase",
        "django.test.SimpleTestCase",
        "django.test.TestCase",
        "django.test.TransactionTestCase",
        "pyfakefs.fake_filesystem_unittest.TestCase",
        "rest_framework.test.APISimpleTestCase",
        "rest_framework.test.APITestCase",
        "rest_framework.test.APITransactionTestCase",
        "testtools.TestCase",
    }
)
_RUNNERS = frozenset({"asyncio.Runner"})
_POLICY_METHODS = frozenset({"get_event_loop", "new_event_loop"})


def is_event_loop(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression certainly is an event loop where it stands."""
    answers = module.fact(_answers)
    found = answers.get(node)
    if found is None:
        found = answers[node] = _is_loop(module, node, scope, _DEPTH)
    return found


def _answers(_: Module) -> dict[ast.expr, bool]:
    return {}


def is_runner(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression certainly is an `asyncio.Runner` where it stands."""
    return _is_runner(module, node, scope, _DEPTH)


def loop_calls(module: Module, *methods: str, where: Callable[[Call], bool] | None = None) -> list[Call]:
    """The calls of these methods of known event loops, those first that are not called by a name of their own.

    Only those that meet a condition: whose loop it is costs something to find out.
    """
    return [
        call
        for call in (*module.method_calls(*methods), *module.calls_by_other_names(*methods))
        if (where is None or where(call)) and is_method_of_loop(module, call.node.func, call.scope, *methods)
    ]


def is_method_of_loop(module: Module, function: ast.expr, scope: Scope, *names: str) -> bool:
    """Whether what is called is one of these methods of a known event loop, by another name too: `start = loop.m`."""
    if isinstance(function, ast.Attribute):
        return function.attr in names and is_event_loop(module, function.value, scope)
    return isinstance(function, ast.Name) and _is_bound_method(module, function, scope, names)


def _is_bound_method(module: Module, name: ast.Name, scope: Scope, methods: tuple[str, ...]) -> bool:
    other_names = module.names.other_names
    if not any(name.id in other_names.get(method, ()) for method in methods):
        return False
    bindings = bindings_at(module, name, scope)
    return bool(bindings) and all(_holds_method(module, binding, methods) for binding in bindings)


def _holds_method(module: Module, binding: Binding, methods: tuple[str, ...]) -> bool:
    """Whether a name was given a method of a known loop; under a patch that would be a fake."""
    method = binding.value
    return (
        isinstance(method, ast.Attribute)
        and binding.kind is Kind.ASSIGNED
        and is_method_of_loop(module, method, binding.scope, *methods)
        and not method_may_be_replaced(module, method, binding.scope, of_library=True)
    )


def _is_loop(module: Module, node: ast.expr, scope: Scope, depth: int) -> bool:
    node = _named(node)
    if isinstance(node, ast.Call):
        return _gives_loop(module, node, scope, depth)
    return _all_bindings(module, node, scope, depth, _is_loop, _is_said_to_be_loop)


def _gives_loop(module: Module, call: ast.Call, scope: Scope, depth: int) -> bool:
    if module.qualified(call.func, scope) in _LOOPS:
        # Under a patch it gives a fake.
        return not function_may_be_replaced(module.call_at(call, scope))
    if not isinstance(call.func, ast.Attribute):
        return depth > 0 and _helper_gives_loop(module, call.func, scope, depth - 1)
    receiver = call.func.value
    if call.func.attr == "get_loop":
        return _is_runner(module, receiver, scope, depth)
    return call.func.attr in _POLICY_METHODS and _is_policy(module, receiver, scope)


def _helper_gives_loop(module: Module, node: ast.expr, scope: Scope, depth: int) -> bool:
    function = module.function_by_name(node, scope)
    if function is None or function.is_async or function.is_generator or function.decorators:
        return False
    return _function_gives_loop(function, depth)


def _is_policy(module: Module, node: ast.expr, scope: Scope) -> bool:
    policy = module.value_of(node, scope)
    return isinstance(policy, ast.Call) and module.qualified(policy.func, scope) == "asyncio.get_event_loop_policy"


def _is_runner(module: Module, node: ast.expr, scope: Scope, depth: int) -> bool:
    node = _named(node)
    if isinstance(node, ast.Call):
        return module.qualified(node.func, scope) == "asyncio.Runner"
    return _all_bindings(module, node, scope, depth, _is_runner, _is_said_to_be_runner)


def _is_said_to_be_runner(module: Module, binding: Binding, depth: int) -> bool:  # noqa: ARG001  # as of loops
    return _is_annotated(module, binding, _RUNNERS)


def _is_annotated(module: Module, binding: Binding, types: frozenset[str]) -> bool:
    """Whether a parameter, or a name where it is assigned, is said to be of one of these types."""
    if isinstance(binding.node, ast.AnnAssign):
        return class_annotated(module, binding.node.annotation, binding.scope) in types
    return class_of_parameter(module, binding) in types


def _all_bindings(
    module: Module,
    node: ast.expr,
    scope: Scope,
    depth: int,
    question: Question,
    is_said: Said,
) -> bool:
    """Whether all that a name or path may hold answers a question with yes."""
    bindings = bindings_at(module, node, scope) if depth else ()
    return bool(bindings) and all(_holds(module, binding, depth - 1, question, is_said) for binding in bindings)


def _holds(
    module: Module,
    binding: Binding,
    depth: int,
    question: Question,
    is_said: Said,
) -> bool:
    if binding.kind is Kind.PARAMETER:
        return is_said(module, binding, depth)
    value = binding.value
    if value is None or binding.kind not in (Kind.ASSIGNED, Kind.ENTERED):
        return False
    if question(module, _entered(module, value, binding.scope), binding.scope, depth):
        return True
    if not isinstance(binding.node, ast.AnnAssign) or not isinstance(value, ast.Call):
        return False
    return is_said(module, binding, depth) and not is_stand_in(module, value, binding.scope)


def _named(node: ast.expr) -> ast.expr:
    """What is given a name where it is used: `loop := v`."""
    return node.value if isinstance(node, ast.NamedExpr) else node


def _entered(module: Module, value: ast.expr, scope: Scope) -> ast.expr:
    """What `contextlib.closing(v)` gives when it is entered: `v`."""
    closes = isinstance(value, ast.Call) and module.qualified(value.func, scope) == "contextlib.closing"
    return value.args[0] if closes and isinstance(value, ast.Call) and value.args else value


def _is_said_to_be_loop(module: Module, binding: Binding, depth: int) -> bool:
    """By the annotation, or by the fixture that a parameter asks for; not where that gives a mock or a fake."""
    is_annotated = _is_annotated(module, binding, _LOOP_TYPES)
    function = module.function_at(binding.scope)
    if function is None or not isinstance(binding.node, ast.arg):
        return is_annotated
    test = module.test_of(function)
    fixture = module.fixture_of(function)
    asked = test.requests if test is not None else fixture.requests if fixture is not None else ()
    name = binding.node.arg
    if name not in asked:
        return is_annotated
    if name == "event_loop":
        return True
    provider = module.fixture_graph.find(
        name, function.klass, beyond=fixture if fixture and fixture.name == name else None
    )
    if provider is None:
        return is_annotated
    if is_annotated:
        return not _gives_stand_in(provider.function)
    return _function_gives_loop(provider.function, depth)


def _function_gives_loop(function: Function, depth: int) -> bool:
    """Whether all that a fixture or a helper returns or yields is an event loop, or it says that it gives one."""
    module = function.module
    if class_annotated(module, function.node.returns, function.outer) in _LOOP_TYPES:
        return not _gives_stand_in(function)
    given = list(function.values_given())
    return bool(given) and all(_is_loop(module, value, function.scope, depth) for value in given)


def _gives_stand_in(function: Function) -> bool:
    return any(is_stand_in(function.module, value, function.scope) for value in function.values_given())


def is_stand_in(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether something is a mock or an instance of a class of this file, whatever it is annotated to be."""
    if mocks_of(module).at(node, scope):
        return True
    value = module.value_of(node, scope)
    return isinstance(value, ast.Call) and isinstance(module.names.definition(value.func, scope), ast.ClassDef)


def new_loops_behind(module: Module, node: ast.expr, scope: Scope) -> Iterator[tuple[ast.Call, Scope]]:
    """The calls that made a new loop which an expression may be, with the scopes they stand in."""
    todo = [(node, scope, _DEPTH)]
    while todo:
        node, scope, depth = todo.pop()
        node = _entered(module, _named(node), scope)
        if isinstance(node, ast.Call):
            if _makes_loop(module, node, scope):
                yield node, scope
        elif isinstance(node, (ast.BoolOp, ast.IfExp)):
            todo += [(part, scope, depth) for part in alternatives_of(node)]
        elif depth:
            todo += [
                (binding.value, binding.scope, depth - 1)
                for binding in bindings_at(module, node, scope) or given_by_heirs(module, node, scope)
                if binding.value is not None and binding.kind in (Kind.ASSIGNED, Kind.ENTERED)
            ]


def may_be_loop_from_before(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression may be a loop that was there before, and only else a new one."""
    return any(
        isinstance(part, ast.Call) and module.qualified(part.func, binding.scope) in _LOOPS_FROM_BEFORE
        for binding in bindings_at(module, node, scope)
        if binding.value is not None
        for part in alternatives_of(binding.value)
    )


def _makes_loop(module: Module, call: ast.Call, scope: Scope) -> bool:
    if module.qualified(call.func, scope) in _MAKERS:
        return True
    method = call.func
    return (
        isinstance(method, ast.Attribute)
        and method.attr == "new_event_loop"
        and _is_policy(module, method.value, scope)
    )


def is_run_for_ever(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a loop is run by `run_forever` somewhere else, in a thread most likely.

    The one under a local name by another function or as a bound method, the one in an attribute by a helper.
    """
    if isinstance(node, ast.Attribute):
        function = module.function_at(scope)
        klass = function.klass if function is not None else None
        classes = (*klass.lineage, *klass.subclasses) if klass is not None else ()
        return any(_runs_attribute(call, node.attr, classes) for call in module.method_calls("run_forever"))
    if not isinstance(node, ast.Name):
        return False
    answers = module.fact(_run_for_ever)
    key = (scope, node.id)
    if key not in answers:
        reads = [(load, scope) for load in loads_of(module, node.id, scope)]
        reads += captures(module, node.id, scope)
        answers[key] = any(
            _names_run_forever(module, inner)
            and _is_run_forever(inner.parents[load])
            and (inner is not scope or not _is_called(inner.parents[load], inner))
            for load, inner in reads
        )
    return answers[key]


def _runs_attribute(call: Call, attribute: str, classes: tuple[Class, ...]) -> bool:
    """Whether a call is one of a helper of some classes, on what is in an attribute of that name."""
    receiver = receiver_of(call.node)
    if not isinstance(receiver, ast.Attribute) or receiver.attr != attribute or call.function is None:
        return False
    return call.function.klass in classes and not is_test_code(call.module, call.scope)


def _run_for_ever(_: Module) -> dict[tuple[Scope, str], bool]:  # filled on demand
    return {}


def _names_run_forever(module: Module, scope: Scope) -> bool:
    """Whether a function holds the word: a cheap look, for to tell what a name stands in costs something."""
    assert not isinstance(scope.node, ast.Module)
    lines = module.fact(_lines_with_run_forever)
    return bisect_left(lines, scope.node.lineno) < bisect_right(lines, scope.node.end_lineno or 0)


def _lines_with_run_forever(module: Module) -> list[int]:
    return [number for number, line in enumerate(module.text.split("\n"), start=1) if "run_forever" in line]


def sets_loop_before(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether the same function calls `set_event_loop`, asyncio's or the policy's, before it gets to a node."""
    first = module.fact(_first_settings).get(scope)
    return first is not None and first < place_of(node)


def may_be_given_loop(klass: Class) -> bool:
    """Whether a class, or one that it is made of, may make a loop the current one before it runs a test.

    An IsolatedAsyncioTestCase does, one sets it up by itself, and of a class of a library nobody knows but of a few.
    """
    todo = [klass]
    looked_at = 0
    while todo:
        for each in todo.pop().lineage:
            looked_at += 1
            setters = each.module.fact(_setters)
            if looked_at > _MOST_CLASSES or any(sets_up(it) and it.scope in setters for it in each.methods.values()):
                return True
            for base in each.foreign_bases:
                if base in _CLASSES_WITHOUT_LOOP:
                    continue
                kind = kind_of_foreign(base)
                if kind is ClassKind.ISOLATED:
                    return True
                further = _class_elsewhere(each.module, base) if kind is ClassKind.UNKNOWN else None
                if further is not None:
                    todo.append(further)
                elif kind is ClassKind.UNKNOWN:
                    return True
    return False


def _class_elsewhere(module: Module, qualified: str) -> Class | None:
    found = find_elsewhere(module, qualified)
    definition = found.definition if found is not None else None
    return found.module.class_of_node(definition) if found and isinstance(definition, ast.ClassDef) else None


def _first_settings(module: Module) -> dict[Scope, Place]:
    settings = sorted(_settings(module), key=lambda call: place_of(call.node), reverse=True)
    return {call.scope: place_of(call.node) for call in settings}


def _setters(module: Module) -> set[Scope]:
    """The functions that make a loop the current one: `set_event_loop(None)` takes it away instead."""
    return {call.scope for call in _settings(module) if not _is_none(call.argument(0, "loop"))}


def _settings(module: Module) -> list[Call]:
    return [*module.calls("asyncio.set_event_loop"), *filter(_is_on_policy, module.method_calls("set_event_loop"))]


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_on_policy(call: Call) -> bool:
    receiver = receiver_of(call.node)
    return receiver is not None and _is_policy(call.module, receiver, call.scope)


def _is_run_forever(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "run_forever"


def _is_called(node: ast.AST, scope: Scope) -> bool:
    call = scope.parents[node]
    return isinstance(call, ast.Call) and call.func is node
