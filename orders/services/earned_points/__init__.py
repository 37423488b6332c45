"""Points that orders earn: awarded, taken back, owed (C1)."""
