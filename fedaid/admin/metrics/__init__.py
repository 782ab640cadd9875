"""What an admin may watch an instance by: what each process counts, and what the database holds."""
