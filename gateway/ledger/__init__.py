"""The books: every attempt that may be billed, every request, exactly once.

    request path --append--> journal file --tail--> writer thread --> database

The journal is the only thing the request path writes; the writer reads the same file
it would replay after a crash, so normal work and recovery are one piece of code.
"""
