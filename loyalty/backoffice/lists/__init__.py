"""What every list of the back-office stands on: its filters, its pages, all of its rows, taking it away as a file."""
