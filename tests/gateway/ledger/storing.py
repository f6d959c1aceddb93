"""Records of the journal, put into the database."""

from gateway.ledger import store


def save(requests=(), attempts=(), *, may_exist=False):
    return store.save(list(requests), list(attempts), may_exist=may_exist)
