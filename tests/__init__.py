"""The specification of fedaid, in tests."""
