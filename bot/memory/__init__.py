"""Members' FSRS memory cards."""
