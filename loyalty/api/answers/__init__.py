"""What every answer of the REST API is made of: problems, pages of a list, shapes that resources share."""
