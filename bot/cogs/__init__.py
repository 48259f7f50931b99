"""Slash commands, one file per group: parse the input, call one service, show the result."""
