"""AT602: a test sleeps for seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import is_test_code
from flake8_async_tests.inference.time.sleeps import SLEEPS, awaited_sleeps, may_end_early, seconds_of
from flake8_async_tests.inference.values.numbers import in_seconds
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


@rule("AT602", "slow-sleep", knows=Knows.FILE, calls=SLEEPS)
def check(module: Module) -> Iterator[Finding]:
    for call in awaited_sleeps(module):
        seconds = seconds_of(call)
        if seconds is None or seconds < module.options.max_sleep or not is_test_code(module, call.scope):
            continue
        test = module.test_of(call.function)
        if test is not None and test.is_skipped:
            continue
        if may_end_early(call, seconds) or (call.name == "asyncio.sleep" and runs_on_trio(module, call.scope)):
            continue
        yield Finding(
            call.node,
            f"{call.name}() keeps the run waiting for {in_seconds(seconds)} (wait for the event itself, or make the"
            " delay a setting that the test can shorten)",
        )
