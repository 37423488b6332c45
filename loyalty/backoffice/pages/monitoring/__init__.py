"""The page *Is everything well?*, for operators."""
