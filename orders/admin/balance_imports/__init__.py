"""The pages of *Move in*: a file is brought, said what it is, rehearsed, started, and taken back if need be."""
