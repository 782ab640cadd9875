"""The people of the neighbourhood: their accounts, sessions and tokens."""
