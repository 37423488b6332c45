"""What answers of the REST API are made of: problems with their codes, pages of a list, shared shapes."""
