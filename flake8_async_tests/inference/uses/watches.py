"""What counts as a look at a task, or at many."""

from __future__ import annotations

from flake8_async_tests.inference.uses.handover import Watch

TASK = Watch(
    inert=frozenset(
        {
            "add_done_callback",
            "cancelled",
            "cancelling",
            "done",
            "get_context",
            "get_coro",
            "get_loop",
            "get_name",
            "get_stack",
            "print_stack",
            "remove_done_callback",
            "set_name",
            "uncancel",
        }
    )
)
"""A task is observed when it is awaited, cancelled, asked for its result or exception, or handed over."""

TASKS = Watch(inert=TASK.inert, by_part=True)
"""The same for one task or a collection of them."""

ADDING = frozenset({"add", "append"})
COLLECTED = Watch(inert=TASK.inert | ADDING, by_part=True)
"""The same for tasks that are added to a collection, one by one."""
