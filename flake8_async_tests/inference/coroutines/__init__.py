"""Which calls give a coroutine, and what can be awaited."""
