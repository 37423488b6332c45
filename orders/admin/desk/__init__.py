"""What staff see first: the dashboard, the figures in the menu, the page *Jobs*."""
