"""Teams: roles whose members win points together."""
