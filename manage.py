#!/usr/bin/env python
"""Command line of the project: serve, load_config, create_key and Django's own."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import OperationalError
    except ImportError:
        sys.exit("Django is not installed here. Run: make setup, then .venv/bin/python")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        # For the operator to mend: a sentence says more than where it was noticed.
        failed = isinstance(error, OperationalError)
        sys.exit(f"The database can't be used: {error}" if failed else str(error))


if __name__ == "__main__":
    main()
