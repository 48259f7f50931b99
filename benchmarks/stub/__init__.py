"""A Discord that is light enough not to be the bottleneck: raw asyncio protocols, prepared payloads, no faults.

`tests/loopback` models Discord with its faults and remembers everything; this one only has to be fast.
"""
