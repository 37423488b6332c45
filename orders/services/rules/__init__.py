"""The spent-revert rules, and the trace of what they and others decided (N1-N6)."""
