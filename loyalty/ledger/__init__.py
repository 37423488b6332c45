"""The lot engine, written once; credits and points are its two instances."""
