"""The lot engine that credits and points are instances of, and how far staff may adjust by hand (L1-L7)."""
