"""Code that rounds and challenges share: starts, drawing, time limits, points and own answers."""
