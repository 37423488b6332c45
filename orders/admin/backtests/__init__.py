"""The pages that try settings on the past: automatic cancelling, and the rules."""
