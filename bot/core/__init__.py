"""What every feature stands on: database, deadlines, time zones, errors. Knows no feature and no Discord."""
