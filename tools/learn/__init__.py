"""Judges the order of practice and a plan's numbers by simulated learners: see `__main__.py`."""
