"""Template tags: addresses of pages of a store, words that it has its own for, sentences behind one another."""
