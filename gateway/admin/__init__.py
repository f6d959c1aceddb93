"""Admin pages of keys and books."""
