"""The log of answers: one row for each answer in a round, challenge, daily or practice.

Everything that is told about answers is computed from it: verdicts, standings, streaks, statistics,
insights, exports. `totals` beside it are sums that keep the all-time boards fast.
"""
