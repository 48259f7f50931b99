"""Alembic's scripts, one a schema version, run in one transaction at start-up."""
