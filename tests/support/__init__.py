"""What the tests stand on: empty databases, a PostgreSQL of their own, real server processes."""
