"""The neighbouring networks: who they are, where a link with them stands, and which hosts are blocked."""
