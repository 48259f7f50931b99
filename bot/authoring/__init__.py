"""Advice on valid question banks. Only `python -m bot bank` imports it, never the running bot."""
