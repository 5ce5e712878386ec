"""Questions to a store: what is meant, all that is known of it, why it was computed."""
