"""The bank of questions, answers to them, and their cards."""
