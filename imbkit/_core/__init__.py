"""Contracts that every family shares; see each module's first line."""
