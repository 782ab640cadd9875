"""The timebank: hours given and received here, and moved between neighbouring networks without ever being lost."""
