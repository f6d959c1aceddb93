"""Each section of config.yaml, from YAML nodes to checked values."""
