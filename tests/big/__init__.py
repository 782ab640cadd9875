"""A neighbourhood as large as it may become, made from a seed, and how long its pages then take."""
