"""The page of a member's day, which ends every practice."""
