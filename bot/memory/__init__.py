"""What members remember: FSRS cards and the log of reviews."""
