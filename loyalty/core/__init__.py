"""What everything stands on and what knows nothing above it: money, days, errors, text, logs."""
