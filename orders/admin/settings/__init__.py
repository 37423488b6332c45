"""The settings pages of a store, one module for each."""
