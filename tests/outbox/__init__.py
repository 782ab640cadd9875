"""Specification of the outgoing mail room."""
