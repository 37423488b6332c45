"""The lot engine, written once, of which credits and points are the two instances (L1-L7)."""
