"""Mock interviews between two members: finding a partner, and asking each other."""
