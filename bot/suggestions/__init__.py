"""Questions suggested by members, and the review of suggestions and reports."""
