"""The documentation, held to the code: generated parts, examples, commands, links and names."""
