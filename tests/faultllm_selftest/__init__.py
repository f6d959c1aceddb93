"""The fault upstream does what its scripts say."""
