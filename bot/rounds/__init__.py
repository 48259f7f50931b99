"""Live quiz rounds in a channel."""
