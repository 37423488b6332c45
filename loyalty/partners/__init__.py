"""Calling other people's servers: addresses checked, times bounded, hardly ever from a request."""
