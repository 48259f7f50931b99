"""Challenges: the same questions for everyone who takes them, each at their own pace, with one reckoning at the end."""
