"""A store's connection to its platform: made, checked, kept in repair, ended."""
