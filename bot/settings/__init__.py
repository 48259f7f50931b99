"""A server's settings, on the panel of /settings."""
