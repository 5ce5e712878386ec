"""From what an experiment declares to all that a launch of it does, checked on the way."""
