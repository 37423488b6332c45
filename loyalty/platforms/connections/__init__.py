"""A store's connection to its platform: made, tested, kept in repair, ended."""
