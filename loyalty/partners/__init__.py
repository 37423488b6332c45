"""Calling other people's servers: addresses checked, times bounded, never from a request (ADR 0036)."""
