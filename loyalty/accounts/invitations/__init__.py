"""Inviting somebody to work in a store, and the link that brings them in (T6)."""
