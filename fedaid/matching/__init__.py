"""Who could help with what, both ways and explained; asking neighbours; searches that are kept."""
