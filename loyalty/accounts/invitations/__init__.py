"""Inviting somebody to work in a store, the link that brings them in, and its pages (T6)."""
