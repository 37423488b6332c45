"""The pages of stores and API keys."""
