"""The only SQL: schema, migrations and one module per aggregate. Rows become frozen dataclasses here."""
