"""Harnesses that measure the project, and their kept results."""
