"""Milestones: roles that a server gives for streaks and for sections that a member knows."""
