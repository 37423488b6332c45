"""The REST API: what every resource stands on, and the resources of the foundation."""
