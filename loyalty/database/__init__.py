"""PostgreSQL as this product uses it: what the web's role may do, how long a statement may take, whose rows it sees."""
