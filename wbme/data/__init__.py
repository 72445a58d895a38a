"""Sources of pictures and what was found in them, as artifacts with a schema."""
