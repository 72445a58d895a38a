"""Synthetic people whose masks, landmarks, skin and light are exactly known, and how characters draw them."""
