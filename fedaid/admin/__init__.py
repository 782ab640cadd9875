"""The admin's rooms: founding an instance, links with neighbouring networks, and the doctor."""
