"""What pytest's configuration makes of a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.project.config import PytestConfig

# By these names an entry can mean a thread's exception, by which pytest warns of it.
_THREAD_EXCEPTION = frozenset(
    {
        "",
        "Warning",
        "UserWarning",
        "pytest.PytestWarning",
        "pytest.PytestUnhandledThreadExceptionWarning",
    }
)


def thread_exceptions_fail(config: PytestConfig, of_marks: Iterable[str]) -> bool:
    """Whether an exception in a thread fails the test that runs meanwhile, since the warning of it is an error.

    What the marks of the test say counts after the configuration, wherever they stand.
    """
    if any(_action(entry) == "error" for entry in of_marks):
        return True
    # The last entry that fits decides, and those of the command line come after those of the option.
    actions = [action for action in map(_action, _entries(config)) if action]
    return bool(actions) and actions[-1] == "error"


def _action(entry: str) -> str:
    """What is done about such a warning by an entry, "" when that is about others."""
    action, message, category, *_ = (*(part.strip() for part in entry.split(":")), "", "", "")
    return action if category in _THREAD_EXCEPTION and not message else ""


def _entries(config: PytestConfig) -> Iterator[str]:
    option = config.get("filterwarnings")
    yield from option.values if option is not None else ()
    yield from _given_in_addopts(config)


def _given_in_addopts(config: PytestConfig) -> Iterator[str]:
    addopts = config.get("addopts")
    words = iter(addopts.values if addopts is not None else ())
    for word in words:
        if word == "-W":
            yield next(words, "")
        elif word.startswith("-W"):
            yield word.removeprefix("-W")
