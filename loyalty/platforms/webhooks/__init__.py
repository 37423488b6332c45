"""Webhooks that came in: signature, envelope, meaning; kept here, carried out by `orders/services/intake` (O2)."""
