"""Signatures of requests (draft-cavage, RFC 9421) and documents (FEP-8b32); alone can make an Authentic."""
