"""What the lists are exported with: each subject its columns. A further list needs a line in its admin as well."""
