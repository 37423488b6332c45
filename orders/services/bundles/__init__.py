"""A store as one file: everything written out, read into another installation, its sums proved."""
