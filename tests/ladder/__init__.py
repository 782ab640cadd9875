"""The privacy ladder, proved: every private word is a canary, and every byte that leaves is searched for it."""
