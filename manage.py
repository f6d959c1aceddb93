#!/usr/bin/env python
"""Command line of the project: serve, load_config, create_key and Django's own."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here. Run: make setup, then .venv/bin/python")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
