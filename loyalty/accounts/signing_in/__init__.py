"""Signing in: allauth with our rules, second factors, and what stops guessing (T6)."""
