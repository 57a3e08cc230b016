"""Which rules have something to say of a file, told by what is called in it: most rules need only few to be run."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.rule import Rule
    from flake8_async_tests.source.module import Module


class InForce:
    """Some rules, and which of them speak of a file."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._always = [rule for rule in rules if not rule.calls]
        self._by_call: dict[str, list[Rule]] = {}
        for rule in rules:
            for word in rule.calls:
                self._by_call.setdefault(word, []).append(rule)

    def of(self, module: Module) -> list[Rule]:
        """Those that may have something to say of a file, in the order of their codes."""
        found = set(self._always)
        # Where only the configuration is spoken of, the file is not walked.
        if self._by_call:
            for word in self._words_in(module):
                found.update(self._by_call[word])
        return sorted(found, key=_code_of)

    def _words_in(self, module: Module) -> Iterator[str]:
        words = self._by_call.keys()
        yield from words & module.index.calls.keys()
        # What is called by another name.
        yield from words & module.names.other_names.keys()


_code_of = attrgetter("code")


@lru_cache(maxsize=16)
def rules_in_force(rules: tuple[Rule, ...], opt_in: tuple[str, ...], *, code_matters: bool) -> InForce:
    """Those of some rules that are asked for: the same for nearly all files of a run."""
    return InForce(
        tuple(
            rule
            for rule in rules
            if (code_matters or rule.speaks_of_configuration) and (not rule.opt_in or rule.code.startswith(opt_in))
        )
    )
