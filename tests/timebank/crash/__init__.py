"""Real servers that are killed, stopped and restored while people use them, behind a network that loses and repeats."""
