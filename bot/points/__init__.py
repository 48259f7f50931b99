"""The points ledger, its sums by period, and the boards read from them."""
