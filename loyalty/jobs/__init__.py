"""Periodic jobs: their names and times, running them, trying again what failed (E7)."""
