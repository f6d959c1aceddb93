"""From the socket to the views: the lean path of the API, Django's own for the rest."""
