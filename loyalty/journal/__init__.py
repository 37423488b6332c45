"""The record of what happened: one row for each event, written in the event's own transaction (H2)."""
