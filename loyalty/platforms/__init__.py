"""Shop platforms: which there are, a store's connection to one, and one folder for each."""
