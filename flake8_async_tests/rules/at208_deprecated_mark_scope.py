"""AT208: the loop scope of a test is given under its old name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import rename_keyword, safe
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

_FIRST_WITH_LOOP_SCOPE = (0, 24)


@rule("AT208", "deprecated-mark-scope", knows=Knows.FILE, fix="safe", calls=("pytest.mark.asyncio",))
def check(module: Module) -> Iterator[Finding]:
    if module.options.pytest_asyncio < _FIRST_WITH_LOOP_SCOPE:
        return
    for call in module.calls("pytest.mark.asyncio"):
        has_loop_scope = any(keyword.arg == "loop_scope" for keyword in call.node.keywords)
        for keyword in call.node.keywords:
            if keyword.arg == "scope":
                yield Finding(
                    keyword,
                    "scope of the asyncio mark is deprecated since pytest-asyncio 0.24 and will be gone some day"
                    " (rename it to loop_scope)",
                    safe(rename_keyword(keyword, "loop_scope")) if not has_loop_scope else None,
                )
