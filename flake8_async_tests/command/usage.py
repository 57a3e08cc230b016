"""What the subcommands share: what is wrong with a command line, and the rules that it names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from flake8_async_tests.rules import all_rules

if TYPE_CHECKING:
    from flake8_async_tests.rule import Rule


class UsageError(Exception):
    """Something about the command line that ends the command with exit status 2."""


def rule_called(text: str) -> Rule:
    """The rule of that code or name."""
    for rule in all_rules():
        if text.upper() == rule.code or text.lower() == rule.name:
            return rule
    raise UsageError(f"no rule is called {text!r}{_suggestion(text)}")


def codes_called(text: str) -> list[str]:
    """The codes that `AT1,AT504` or `dangling-task` names, as flake8's `select` takes them."""
    codes = []
    for entry in filter(None, (part.strip() for part in text.replace(",", " ").split())):
        is_prefix = any(rule.code.startswith(entry.upper()) for rule in all_rules())
        codes.append(entry.upper() if is_prefix else rule_called(entry).code)
    if not codes:
        raise UsageError("no rule is named")
    return codes


def _suggestion(text: str) -> str:
    codes = {rule.code: rule.code for rule in all_rules()}
    names = {rule.name: f"{rule.name} ({rule.code})" for rule in all_rules()}
    near = [code for code in codes if code.startswith(text.upper())][:3]
    near = near or difflib.get_close_matches(text.upper(), codes, n=3, cutoff=0.7)
    near += difflib.get_close_matches(text.lower(), names, n=3, cutoff=0.5)
    shown = [codes.get(each) or names[each] for each in near]
    return f" (did you mean {', '.join(shown)}?)" if shown else ""
