"""/topics: the list of topics, and the page of one to read up on, with a member's progress."""
