"""Evidence: what happened, in a log that shows every later change to itself."""
