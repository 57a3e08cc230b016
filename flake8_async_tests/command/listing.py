"""`rules`: all rules, for people, for tools and for the README."""

from __future__ import annotations

import inspect
import json
import os
from typing import TYPE_CHECKING

from flake8_async_tests.command.pages import summary_of, text_of_page
from flake8_async_tests.rules import all_rules

if TYPE_CHECKING:
    import argparse

    from flake8_async_tests.rule import Rule

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


HELP = "list the rules"
STATUS = "0, or 2 for usage."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output-format", choices=("text", "json", "markdown"), default="text")


def run(arguments: argparse.Namespace) -> int:
    formats = {"text": as_text, "json": as_json, "markdown": as_markdown}
    print(formats[arguments.output_format]())
    return 0


def as_text() -> str:
    rules = all_rules()
    width = max(len(rule.name) for rule in rules)
    return "\n".join(
        f"{rule.code} {rule.name:{width}} {_default(rule):7} {rule.fix or '-':6} {summary_of(rule)}" for rule in rules
    )


def as_markdown() -> str:
    """The table of the README."""
    rows = [
        f"| [{rule.code}](docs/rules/{rule.code}.md) | {rule.name} | {summary_of(rule)} | {rule.knows.value}"
        f" | {_default(rule)} | {rule.fix or '-'} |"
        for rule in all_rules()
    ]
    return "\n".join(
        ["| code | name | what it reports | looks at | default | fix |", "|---|---|---|---|---|---|", *rows]
    )


def as_json() -> str:
    return json.dumps([_described(rule) for rule in all_rules()], indent=2)


def _default(rule: Rule) -> str:
    return "opt-in" if rule.opt_in else "on"


def _described(rule: Rule) -> dict[str, object]:
    """A rule under the keys of `ruff rule --all --output-format json`, so that who reads one can read the other."""
    summary = summary_of(rule)
    return {
        "name": rule.name,
        "code": rule.code,
        "linter": "flake8-async-tests",
        "summary": summary,
        "message_formats": [summary],
        "fix": "Fix is sometimes available." if rule.fix else "Fix is not available.",
        "fix_availability": "Sometimes" if rule.fix else "None",
        "explanation": text_of_page(rule),
        "preview": False,
        "status": {"Stable": {"since": rule.since}},
        "category": "pedantic" if rule.opt_in else "suspicious",
        "source_location": _source_location(rule),
    }


def _source_location(rule: Rule) -> dict[str, object]:
    code = inspect.unwrap(rule.check).__code__
    path = os.path.relpath(code.co_filename, os.path.dirname(_PACKAGE)).replace(os.sep, "/")
    return {"file": path, "line": code.co_firstlineno}
