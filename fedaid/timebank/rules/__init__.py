"""The pure core of the timebank: what a set of signed messages means, and what has to be done next."""
