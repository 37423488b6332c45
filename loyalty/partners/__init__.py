"""Calling other people's servers, of mail too: addresses checked, times bounded, by jobs alone."""
