"""What the workers of one instance share while Redis is there: answers, and calls.

state.py        the few operations it takes, whoever does them
redis_state.py  Redis does them
link.py         the way there: bounded waits, a breaker that heals by itself
seal.py         names and values nobody else could have made
answers.py      stored answers
messages.py     what workers tell each other about a call
relay.py        the leading worker's side of a shared call
pursuit.py      the other workers' side of it

Without `REDIS_URL` none of it exists. With it, every failure means "as without it".
"""
