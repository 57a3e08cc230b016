"""AT606: `asyncio.sleep` is patched by what never yields, where something polls by it."""

from __future__ import annotations

import ast
from bisect import bisect_left
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.fake_sleeps import PATCHING, SLEEP, FakeSleep, fake_sleeps, may_get_side_effect
from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.inference.replacing.patch_ends import end_of_patch
from flake8_async_tests.inference.time.polling import PollingLoop, polling_loops, waits_by
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT606", "patched-sleep-never-yields", knows=Knows.PROJECT, calls=PATCHING)
def check(module: Module) -> Iterator[Finding]:
    # Without a loop, it matters only to those of others, for which a fixture is used without being asked for.
    if not module.of_kind(ast.While) and "autouse" not in module.text:
        return
    for fake in fake_sleeps(module, _may_make_spin):
        # What a decorator patches may be told what to do within the function.
        functions = [
            function
            for function in _functions_under(module, fake.call, fake.scope)
            if function.scope is fake.scope or not may_get_side_effect(module, fake.maker, function.scope)
        ]
        if any(_is_autouse(module.fixture_of(function)) for function in functions):
            where = "a loop that waits by it for something"
        elif any(_polls(module, fake, function) for function in functions):
            where = "the loop that polls by it"
        else:
            continue
        yield Finding(
            fake.call,
            f"the patched {fake.path} never yields to the event loop: {where} spins for ever, and no timeout fires"
            " (let the replacement await the saved real sleep(0))",
        )


def _may_make_spin(call: Call) -> bool:
    """Whether a patch holds for something that polls, or for who knows what."""
    module = call.module
    return any(
        _is_autouse(module.fixture_of(function)) or polling_loops(module, function.scope).are_there
        for function in _functions_under(module, call.node, call.scope)
    )


def _functions_under(module: Module, call: ast.Call, scope: Scope) -> list[Function]:
    """The functions for which a patch holds: the one around it, the decorated one, or those of the decorated class."""
    around = module.function_at(scope)
    if around is not None:
        return [around]
    return module.fact(_decorated).get(call, [])


def _decorated(module: Module) -> dict[ast.expr, list[Function]]:
    """The functions that each decorator holds for, those of functions and those of classes."""
    found: dict[ast.expr, list[Function]] = {}
    for function in module.functions:
        for decorator in function.node.decorator_list:
            found[decorator] = [function]
    for klass in module.classes:
        for decorator in klass.node.decorator_list:
            found[decorator] = [method for method in klass.methods.values() if module.test_of(method)]
    return found


def _is_autouse(fixture: Fixture | None) -> bool:
    call = fixture.decorator.call if fixture is not None else None
    value = keyword_value(call, "autouse") if call is not None else None
    return isinstance(value, ast.Constant) and value.value is True


def _polls(module: Module, fake: FakeSleep, function: Function) -> bool:
    """Whether the function, or a coroutine nested in it, waits in a loop that the patch makes spin."""
    importer = fake.importer
    if importer is None:
        return any(_spins(loop, fake) for loop in _loops_under(module, fake, function.scope))
    # Only a name of that module is replaced: it spins where that name is awaited, or where the module itself waits.
    spinning = any(waits_by(importer, loop, scope, SLEEP) for loop, scope in importer.of_kind(ast.While))
    return any(
        _spins(loop, fake) and (spinning or fake.path in loop.sleeps)
        for loop in _loops_under(module, fake, function.scope)
    )


def _spins(loop: PollingLoop, fake: FakeSleep) -> bool:
    return loop.sleeps <= {SLEEP, fake.path} and not loop.conditions & fake.touched


def _loops_under(module: Module, fake: FakeSleep, scope: Scope) -> Iterator[PollingLoop]:
    """The loops of a function that run under the patch: all but those before it, or after its end."""
    loops = polling_loops(module, scope)
    yield from loops.nested
    yield from _own_loops_under(module, fake, loops.own) if fake.scope is scope else loops.own


def _own_loops_under(module: Module, fake: FakeSleep, loops: list[PollingLoop]) -> list[PollingLoop]:
    end = end_of_patch(module, fake.call, fake.scope)
    first = bisect_left(loops, place_of(fake.call), key=_place)
    last = bisect_left(loops, end, key=_place) if end is not None else None
    return loops[first:last]


def _place(loop: PollingLoop) -> Place:
    return place_of(loop.node)
