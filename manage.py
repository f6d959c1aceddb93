#!/usr/bin/env python
"""Command line of the project: serve, load_config, create_key and Django's own."""

import os
import select
import sys

READER_LEFT = 141  # what a shell shows of a program that a closed pipe ended


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import DatabaseError, OperationalError
    except ImportError:
        sys.exit("Django is not installed here. Run: make setup, then .venv/bin/python")
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except (ImproperlyConfigured, DatabaseError) as error:
        # SQLite's damaged files are no more than a DatabaseError; others are our bugs.
        failed = isinstance(error, OperationalError) or type(error) is DatabaseError
        ours = isinstance(error, DatabaseError) and not failed
        if ours or "--traceback" in sys.argv:
            raise
        # For the operator to mend: a sentence says more than where it was noticed.
        sys.exit(f"The database can't be used: {error}" if failed else str(error))
    except BrokenPipeError:
        if not reader_left():
            raise  # another pipe, or a connection
        # Python flushes once more at its end, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(READER_LEFT)


def reader_left() -> bool:
    """Has whoever read our lines seen enough, as `head` has? Then nothing is wrong."""
    output = select.poll()
    output.register(sys.stdout)
    return any(event & select.POLLERR for _, event in output.poll(0))


if __name__ == "__main__":
    main()
