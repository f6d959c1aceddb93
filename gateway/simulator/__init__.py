"""A provider that only pretends: for trying the gateway without an API key."""
