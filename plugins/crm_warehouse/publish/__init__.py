"""Publishing: a private candidate is audited, then one pointer moves to it."""
