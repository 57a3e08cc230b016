"""Clients, apps and databases."""
