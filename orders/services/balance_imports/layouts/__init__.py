"""What files of other systems look like: recognised or chosen, kept under a name, and read as rows of an import."""
