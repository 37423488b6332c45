"""What staff see first: the dashboard, the figures in the menu, the pages *Jobs* and *To be tried again*."""
