"""The page *Outgoing messages*."""
