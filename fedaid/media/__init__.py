"""Pictures of other servers: fetched for our members when somebody looks, made harmless, kept for a while."""
