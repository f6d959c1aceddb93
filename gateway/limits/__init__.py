"""What keys and teams are held to: requests and tokens a minute, dollars a period.

rules.py        the limits of one caller, frozen
windows.py      when a minute, day, week or month begins and ends, in a time zone
counters.py     what is counted, whoever counts it
in_memory.py    counting in one process
in_redis.py     counting for all workers in Redis
in_database.py  counting for all workers in the database, where there is no Redis
counting_thread.py  the database's thread: slow is waited for, stuck is down
settling.py     settlements on their way to counters outside this process
books.py        what the ledger says was spent: no counter may stand below it
inheritance.py  what killed processes had set aside is settled
estates.py      what of it waits for a Redis that was away
hold.py         what one attempt has set aside
charges.py      setting aside, settling, and who counts when somebody is down
estimates.py    what a call may cost at most
"""
