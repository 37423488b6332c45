"""Reading what platforms write: one strict door for the text, forgiving access to the fields (O10)."""
