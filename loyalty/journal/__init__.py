"""The audit trail: one row per business event, written in the event's own transaction."""
