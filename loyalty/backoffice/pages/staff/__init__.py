"""The page *Staff*."""
