"""The pages *Platform connection* and *Webhook deliveries*: webhooks that came in."""
