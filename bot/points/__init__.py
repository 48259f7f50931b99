"""The points ledger and its sums by period."""
