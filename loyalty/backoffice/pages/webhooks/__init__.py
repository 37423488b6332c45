"""The pages *Webhook endpoints* and *Webhooks sent*: webhooks that go out."""
