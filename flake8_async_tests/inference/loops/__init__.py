"""Which object is an event loop, what it was told, and what needs one."""
