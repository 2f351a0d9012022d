"""Samples of one's own: read from files, and brought into the form that a network takes."""
