"""A fuzzer: whole instances are sent what is nearly right, for as long as there is time."""
