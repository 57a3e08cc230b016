"""The rules, one module each. There is no list to keep: a module here that is named like a rule is one."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module

from flake8_async_tests.rule import Rule

_RULE_MODULE = re.compile(r"at\d{3}_\w+")


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, ordered by code."""
    return rules_with("AT")


@cache
def rules_with(*prefixes: str) -> tuple[Rule, ...]:
    """The rules whose codes begin with one of these, ordered by code; no other one is imported."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        if _RULE_MODULE.fullmatch(module.name) and module.name[:5].upper().startswith(prefixes):
            rule = import_module(f"{__name__}.{module.name}").check
            assert isinstance(rule, Rule)
            found.append(rule)
    return tuple(sorted(found, key=lambda rule: rule.code))
