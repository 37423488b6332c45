"""Pages of the back-office about what the foundation keeps, one folder for each menu entry."""
