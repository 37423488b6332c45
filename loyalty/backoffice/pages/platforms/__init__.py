"""The pages about shop platforms: connections, and the webhooks that came in."""
