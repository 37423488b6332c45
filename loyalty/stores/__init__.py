"""Stores: who acts in them, with which rights, and that every query names its store (T1-T5)."""
