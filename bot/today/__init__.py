"""/today: the page of a member's day, which ends every practice."""
