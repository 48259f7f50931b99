"""What a server's answers say about its questions, and in which topics the group is weakest."""
