"""Who can speak on the wire: our own actors with their keys, the actors of other servers that we met, and follows."""
