"""Draws random one-line changes of the bot and says which of them no test notices: `make mutants`."""
