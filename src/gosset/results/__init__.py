"""What a launch came to: in the hands of the user, in words, as JSON, as it goes on."""
