"""The pages about webhooks that go out: endpoints, and what was sent to them."""
