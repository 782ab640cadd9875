"""Whole instances that meet."""
