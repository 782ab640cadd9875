"""The mail room for what comes in: refused cheaply, authenticated, durable before it is acknowledged, applied once."""
