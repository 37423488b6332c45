"""The journal as sentences for people (H2)."""
