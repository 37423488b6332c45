"""The back-office's pages about what the foundation keeps, one folder for each menu entry."""
