"""PostgreSQL as we use it: rights of the web's role, time limits, whose rows a piece of work sees."""
