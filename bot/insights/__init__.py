"""Judgements of questions and topics from a server's answers."""
