"""What everything stands on and what knows nothing of stores: money, days, tags, errors, text, logs."""
