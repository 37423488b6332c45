"""Speaking HTTP with shop platforms: what is asked and answered, and the ways in which they do not answer."""
