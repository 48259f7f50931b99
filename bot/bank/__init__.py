"""A server's own questions: import, export, forms, and correcting past answers."""
