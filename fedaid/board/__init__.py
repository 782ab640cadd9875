"""The board: listings (requests and offers) of here and of neighbouring networks, responses to them, and matches."""
