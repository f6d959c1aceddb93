"""Pure translations between wire formats and the common language; no I/O."""
