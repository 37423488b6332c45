"""The page *Timeline*, and how the books looked when they were last checked."""
