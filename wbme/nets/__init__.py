"""Architectures, one a file; nn.Module only."""
