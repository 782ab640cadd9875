"""Explores what the timebank's own state tables can come to, exhaustively: every order, loss, repetition and restore."""
