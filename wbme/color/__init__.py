"""Colour science of skin: spaces, measures, statistics and reflection."""
