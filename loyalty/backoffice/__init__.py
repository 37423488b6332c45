"""The back-office of a store's staff: the admin site, its menu and look, and what all of its pages stand on."""
