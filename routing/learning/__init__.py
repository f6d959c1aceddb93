"""Learning from votes: what was judged, when to train, and who decides next.

In its own process or thread, never on the path of a request.
"""
