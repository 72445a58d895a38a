"""Pure functions from data to a Figure or an image array."""
