"""Discord without any feature: client, routing, replies, sending, pictures."""
