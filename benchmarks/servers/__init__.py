"""Servers that run beside the gateway: what it is compared with, and its upstream."""
