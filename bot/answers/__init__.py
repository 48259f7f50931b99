"""The log of answers: one row for each answer in a round, challenge, daily or practice.

Verdicts, standings, streaks, statistics, insights and exports are computed from it. The sums in
`totals` keep the all-time boards fast.
"""
