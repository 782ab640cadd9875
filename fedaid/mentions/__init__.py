"""What people elsewhere write to our boards that is no answer to a listing: messages, and listings they ask us for."""
