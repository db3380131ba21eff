"""A second reading of the metering rules, to check the first: exact, standard library only."""
