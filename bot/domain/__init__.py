"""Quizformer's rules: plain Python without discord, database, asyncio or a clock."""
