"""The main job, played by two real instances on one machine: for a first look, and for tests."""
