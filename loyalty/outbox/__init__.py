"""What is to be done outside after the commit: written with its cause, carried out until confirmed."""
