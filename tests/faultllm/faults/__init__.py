"""The small functions that scripts are made of, by what they spoil."""
