"""Code that rounds and challenges share: drawing items, time limits, points and standings."""
