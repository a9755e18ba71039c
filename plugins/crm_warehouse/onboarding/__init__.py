"""Bringing a bank in: a first profile, a check of it that says what to do next, and what it will feed."""
