"""Periodic jobs: their names and times, running them, setting aside what they cannot process (E7)."""
