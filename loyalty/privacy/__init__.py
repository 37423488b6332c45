"""Erasing people: whatever names a customer goes, and every sum stays."""
