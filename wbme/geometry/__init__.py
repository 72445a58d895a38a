"""Landmark sets, alignment and masks drawn from points."""
