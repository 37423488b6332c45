"""The start page, the menu's badges, the jobs page."""
