"""Ground floor: errors, paths, hashing, seeds, statistics and asset files. Imports no other room."""
