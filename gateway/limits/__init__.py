"""What keys and teams are held to: requests and tokens a minute, dollars a period.

rules.py    the limits of one caller, frozen
windows.py  when a minute, day, week or month begins and ends, in a time zone
"""
