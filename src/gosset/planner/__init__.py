"""What to compute, load and skip: decided from values alone, before anything is done."""
