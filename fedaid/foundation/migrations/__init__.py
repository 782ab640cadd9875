"""The steps from one schema to the next; each suits the code before and after it."""
