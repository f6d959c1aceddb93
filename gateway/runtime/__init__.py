"""What one process of the gateway holds in memory while it serves."""
