"""The back-office that store staff see: the admin site, and the base of all its pages."""
