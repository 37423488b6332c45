"""Cancelling many orders as one resumable piece of work (B1)."""
