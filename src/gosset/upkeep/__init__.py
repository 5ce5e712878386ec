"""Care of a store: taking things out of it, and checking what it stands on."""
