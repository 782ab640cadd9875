"""The neighbourhood: features, memory and doors of a federated mutual aid server."""

__version__ = "0.1.0"
