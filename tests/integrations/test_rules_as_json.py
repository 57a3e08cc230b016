"""The list of rules as JSON, for whom reads the list of ruff."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

Rules = list[dict[str, Any]]


def listed_by(*command: str) -> Rules:
    ended = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=True)
    rules: Rules = json.loads(ended.stdout)
    return rules


@pytest.fixture(scope="module")
def of_ruff() -> Rules:
    return listed_by("ruff", "rule", "--all", "--output-format", "json")


@pytest.fixture(scope="module")
def of_this_plugin() -> Rules:
    return listed_by("flake8_async_tests", "rules", "--output-format", "json")


def test_that_the_keys_are_those_of_ruff(of_ruff: Rules, of_this_plugin: Rules) -> None:
    (wanted,) = {frozenset(rule) for rule in of_ruff}
    assert {frozenset(rule) for rule in of_this_plugin} == {wanted}


@pytest.mark.parametrize("key", ["fix", "fix_availability", "category", "preview"])
def test_that_words_are_those_of_ruff(key: str, of_ruff: Rules, of_this_plugin: Rules) -> None:
    assert {rule[key] for rule in of_this_plugin} <= {rule[key] for rule in of_ruff}


@pytest.mark.parametrize("key", ["code", "name", "message_formats", "explanation", "status", "source_location"])
def test_that_the_rest_is_of_the_same_form(key: str, of_ruff: Rules, of_this_plugin: Rules) -> None:
    forms = {form(rule[key]) for rule in of_ruff}
    assert {form(rule[key]) for rule in of_this_plugin} <= forms


def form(value: object) -> object:
    """What is left of a value when its texts and numbers are taken out."""
    if isinstance(value, dict):
        return frozenset((name, form(each)) for name, each in value.items())
    if isinstance(value, list):
        return frozenset(form(each) for each in value)
    return type(value)
