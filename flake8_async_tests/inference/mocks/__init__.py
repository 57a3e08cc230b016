"""Which mock something is, and what was configured for it."""
