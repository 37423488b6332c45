"""Webhooks that platforms send: signature, envelope, meaning, keeping, sending again (O2)."""
