"""What fedaid and Fedify, an ActivityPub framework of others, say to each other over HTTP; `make interop` runs it."""
