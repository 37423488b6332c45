"""The pages *Stores* and *API keys*."""
