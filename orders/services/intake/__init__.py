"""How orders and what is said of them come in: REST, staff, files, webhooks, polling (O1-O10)."""
