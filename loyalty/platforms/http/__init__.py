"""Speaking HTTP with platforms: what is asked and answered, and the ways in which they do not answer."""
