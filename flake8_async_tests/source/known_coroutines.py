"""The coroutine functions of asyncio, anyio and trio, and the coroutine methods of what they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.source.coroutines import CoroutineFunction, Other, Takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.coroutines import ClassFacts, Member

_FUNCTIONS = {
    "asyncio": "create_subprocess_exec create_subprocess_shell open_connection open_unix_connection sleep start_server"
    " start_unix_server to_thread wait wait_for",
    "asyncio.subprocess": "create_subprocess_exec create_subprocess_shell",
    "anyio": "aclose_forcefully connect_tcp connect_unix create_connected_udp_socket"
    " create_connected_unix_datagram_socket create_tcp_listener create_udp_socket create_unix_datagram_socket"
    " create_unix_listener getaddrinfo getnameinfo gettempdir gettempdirb mkdtemp mkstemp open_file open_process"
    " run_process sleep sleep_forever sleep_until wait_all_tasks_blocked wait_readable wait_socket_readable"
    " wait_socket_writable wait_writable",
    "anyio.lowlevel": "cancel_shielded_checkpoint checkpoint checkpoint_if_cancelled",
    "anyio.to_interpreter": "run_sync",
    "anyio.to_process": "run_sync",
    "anyio.to_thread": "run_sync",
    "trio": "aclose_forcefully open_file open_ssl_over_tcp_listeners open_ssl_over_tcp_stream open_tcp_listeners"
    " open_tcp_stream open_unix_socket run_process serve_listeners serve_ssl_over_tcp serve_tcp sleep sleep_forever"
    " sleep_until",
    "trio.lowlevel": "cancel_shielded_checkpoint checkpoint checkpoint_if_cancelled open_process wait_readable"
    " wait_task_rescheduled wait_writable",
    "trio.testing": "wait_all_tasks_blocked wait_all_threads_completed",
    "trio.to_thread": "run_sync",
}

_PATH_METHODS = (
    "absolute chmod cwd exists expanduser group hardlink_to home is_block_device is_char_device is_dir is_fifo is_file"
    " is_junction is_mount is_socket is_symlink lchmod lstat mkdir open owner read_bytes read_text readlink rename"
    " replace resolve rmdir samefile stat symlink_to touch unlink write_bytes write_text"
)
_METHODS = {
    "asyncio.Barrier": "abort reset wait",
    "asyncio.BoundedSemaphore": "acquire",
    "asyncio.Condition": "acquire wait wait_for",
    "asyncio.Event": "wait",
    "asyncio.LifoQueue": "get join put",
    "asyncio.Lock": "acquire",
    "asyncio.PriorityQueue": "get join put",
    "asyncio.Queue": "get join put",
    "asyncio.Semaphore": "acquire",
    "anyio.CapacityLimiter": "acquire acquire_on_behalf_of",
    "anyio.Condition": "acquire wait",
    "anyio.Event": "wait",
    "anyio.Lock": "acquire",
    "anyio.Path": _PATH_METHODS,
    "anyio.Semaphore": "acquire",
    "trio.CapacityLimiter": "acquire acquire_on_behalf_of",
    "trio.Condition": "acquire wait",
    "trio.Event": "wait",
    "trio.Lock": "acquire",
    "trio.Path": f"{_PATH_METHODS} glob iterdir rglob",
    "trio.Semaphore": "acquire",
    "trio.StrictFIFOLock": "acquire",
}

KNOWN_COROUTINE_FUNCTIONS = frozenset(
    f"{module}.{name}" for module, names in _FUNCTIONS.items() for name in names.split()
)

KNOWN_COROUTINE_METHODS = {name: frozenset(methods.split()) for name, methods in _METHODS.items()}
"""By the class, as it is called to make an instance."""


_LIBRARIES = frozenset(name.partition(".")[0] for name in (*KNOWN_COROUTINE_FUNCTIONS, *KNOWN_COROUTINE_METHODS))


def is_of_library(dotted: str) -> bool:
    """Whether a dotted name is of one of the libraries whose coroutine functions are known."""
    return dotted.partition(".")[0] in _LIBRARIES


UNKNOWN_SIGNATURE = CoroutineFunction(signature=None, takes=Takes.NOTHING, is_abstract=False)
"""A coroutine function of which no more is known."""


class LibraryClass:
    """A class of asyncio, anyio or trio, such as a queue or an event."""

    is_plain = True

    def __init__(self, name: str) -> None:
        self._methods = KNOWN_COROUTINE_METHODS[name]

    def own(self, name: str) -> Member:
        return UNKNOWN_SIGNATURE if name in self._methods else Other.ABSENT

    def bases(self) -> Iterator[ClassFacts | None]:
        return iter(())


def meaning_in_library(name: str) -> CoroutineFunction | LibraryClass | None:
    """What a canonical name means, None when it is none of those that are known."""
    if name in KNOWN_COROUTINE_FUNCTIONS:
        return UNKNOWN_SIGNATURE
    return LibraryClass(name) if name in KNOWN_COROUTINE_METHODS else None
