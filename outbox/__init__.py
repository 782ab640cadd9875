"""The mail room for what goes out: written with the fact, fanned out, delivered per host in order until it arrives."""
