"""Migrating while the shops go on: which databases can be, how a change waits for its locks, what no change may do."""
