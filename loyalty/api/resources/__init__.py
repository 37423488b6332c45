"""The REST resources of the foundation: store, customers, settings, ledgers, statements, webhook endpoints."""
