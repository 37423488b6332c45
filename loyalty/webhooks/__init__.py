"""Webhooks we send: REST clients are told what happened, signed as Standard Webhooks say."""
