"""How good a picture is: structure, skin, perception, distributions. Pure functions on arrays."""
