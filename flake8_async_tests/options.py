"""The options of the plugin, checked, and free of flake8."""

from __future__ import annotations

from flake8_async_tests.record import record

NEWEST_PYTEST_ASYNCIO = (1, 5)


@record
class Options:
    """What the user set."""

    asyncio_mode: str | None = None
    """`auto` or `strict`: overrides what was found in the configuration."""
    marks: tuple[str, ...] = ()
    """Further marks under which an async test runs."""
    max_sleep: float = 1.0
    max_elapsed: float = 5.0
    pytest_asyncio: tuple[int, ...] = NEWEST_PYTEST_ASYNCIO
    """The version of pytest-asyncio to judge for."""
    opt_in: tuple[str, ...] = ()
    """The entries of select and extend-select that ask for rules that are off by default."""
