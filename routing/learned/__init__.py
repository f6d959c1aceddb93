"""Learned routing: what quality each tier would give, from one pass over a prompt.

Imports numpy; import it where a router is trained or serves, not at start-up.
"""
