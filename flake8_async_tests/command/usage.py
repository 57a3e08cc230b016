"""What the subcommands share: what is wrong with a command line, and the rules that it names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from flake8_async_tests.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.rule import Rule


_MOST_SUGGESTED = 5
_SIMILAR = 0.75
_LOOK_LIKE_DIGITS = str.maketrans("OIL", "011")


class UsageError(Exception):
    """Something about the command line that ends the command with exit status 2."""


def rule_called(text: str) -> Rule:
    """The rule of that code or name."""
    for rule in all_rules():
        if text.upper() == rule.code or text.lower() == rule.name:
            return rule
    raise UsageError(f"no rule is called {text!r}{_suggestion(text)}")


def rules_called(texts: Iterable[str]) -> list[Rule]:
    """The rules of those codes or names; all that are none are told at once."""
    rules, wrong = [], []
    for text in texts:
        try:
            rules.append(rule_called(text))
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("; ".join(wrong))
    return rules


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
    near = _near(text)
    return f" (did you mean {', '.join(f'{rule.code} {rule.name}' for rule in near)}?)" if near else ""


def _near(text: str) -> list[Rule]:
    """The rules that may have been meant, by their codes where the text looks like one, else by their names."""
    if any(character.isdigit() for character in text) or "AT".startswith(text.upper()):
        return _near_by_code(text.upper())[:_MOST_SUGGESTED]
    words = text.lower().replace("_", "-")
    spelled = difflib.get_close_matches(words, [rule.name for rule in all_rules()], n=_MOST_SUGGESTED, cutoff=0.6)
    named = [rule for name in spelled for rule in all_rules() if rule.name == name]
    # Who remembers but a part of the name gets the names that hold it.
    named += [rule for rule in all_rules() if words in rule.name and rule not in named]
    return named[:_MOST_SUGGESTED]


def _near_by_code(code: str) -> list[Rule]:
    """The rules whose code begins like this one, else those of much the same digits, the nearest number first."""
    begun = [rule for rule in all_rules() if rule.code.startswith(code)]
    if begun:
        return begun
    digits = code.translate(_LOOK_LIKE_DIGITS).removeprefix("AT")
    number = int(digits) if digits.isdecimal() else 0
    matcher = difflib.SequenceMatcher(b=f"AT{digits}")
    near = []
    for rule in all_rules():
        matcher.set_seq1(rule.code)
        is_mixed_up = sorted(rule.code[2:]) == sorted(digits)
        if matcher.ratio() >= _SIMILAR or is_mixed_up:
            near.append((not is_mixed_up, -matcher.ratio(), abs(int(rule.code[2:]) - number), rule))
    return [rule for *_, rule in sorted(near, key=lambda each: each[:3])]
