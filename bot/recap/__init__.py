"""The weekly recap of a server."""
