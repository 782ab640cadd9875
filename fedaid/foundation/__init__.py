"""What every room of the neighbourhood stands on: the database, units of work, the clock, ids and words."""
