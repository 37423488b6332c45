"""Calling other people's servers, of mail too: addresses checked, times bounded, hardly ever from a request."""
