"""Sleeps, timeouts, polling, and clocks of a test's own."""
