"""The first page of the admin: what happened, what it cost, what needs a hand."""
