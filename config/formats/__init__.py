"""How moments are written in the admin, instead of Django's own way."""
