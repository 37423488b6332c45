"""Webhooks that go out: REST clients are told what happened, signed as Standard Webhooks say."""
