"""The base of every feature: database, jobs, calendar, errors. Knows no feature and no Discord."""
