"""The shell of the pages: layout, headers, refusals in words, and the one style sheet."""
