"""The journal in sentences for people (H2)."""
