"""AT606: `asyncio.sleep` is patched by what never yields, where something polls by it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.fake_sleeps import SLEEP, FakeSleep, fake_sleeps
from flake8_async_tests.inference.places import end_of, place_of
from flake8_async_tests.inference.polling import names_that_end, polling_loops, waits_by
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT606", "patched-sleep-never-yields", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for fake in fake_sleeps(module):
        functions = _functions_under(module, fake)
        if any(_is_autouse(module.fixture_of(function)) for function in functions):
            where = "in every test"
        elif any(_polls(module, fake, function) for function in functions):
            where = "in a polling loop"
        else:
            continue
        yield Finding(
            fake.call,
            f"the patched {fake.path} never yields to the event loop: {where} it spins for ever, and no timeout fires"
            " (let the replacement await the saved real sleep(0))",
        )


def _functions_under(module: Module, fake: FakeSleep) -> list[Function]:
    """The functions for which a patch holds: the one around it, the decorated one, or those of the decorated class."""
    around = module.function_at(fake.scope)
    if around is not None:
        return [around]
    decorated = [function for function in module.functions if fake.call in function.node.decorator_list]
    classes = [klass for klass in module.classes if fake.call in klass.node.decorator_list]
    return decorated + [method for klass in classes for method in klass.methods.values() if module.test_of(method)]


def _is_autouse(fixture: Fixture | None) -> bool:
    call = fixture.decorator.call if fixture is not None else None
    value = keyword_value(call, "autouse") if call is not None else None
    return isinstance(value, ast.Constant) and value.value is True


def _polls(module: Module, fake: FakeSleep, function: Function) -> bool:
    """Whether the function, or a coroutine nested in it, waits in a loop that the patch makes spin."""
    loops = [
        (loop, scope)
        for loop, scope in polling_loops(module, function.scope, {SLEEP, fake.path})
        if not names_that_end(loop) & fake.touched and _is_under(fake, loop, function, scope)
    ]
    importer = fake.importer
    if importer is None or any(waits_by(module, loop, scope, fake.path) for loop, scope in loops):
        return bool(loops)
    # Only a name of that module is replaced: it spins where that module itself waits in a loop.
    return bool(loops) and any(waits_by(importer, loop, scope, SLEEP) for loop, scope in importer.of_kind(ast.While))


def _is_under(fake: FakeSleep, loop: ast.While, function: Function, scope: Scope) -> bool:
    if scope is not function.scope or fake.scope is not scope:
        return True
    item = scope.parents[fake.call]
    block = scope.parents.get(item) if isinstance(item, ast.withitem) else None
    if isinstance(block, (ast.With, ast.AsyncWith)):
        return is_within(loop, block.body)
    return end_of(fake.call) < place_of(loop)
