"""Data sets as they are published: an adapter a layout, which lists ``Entry``s without reading a picture."""
