"""Exports: what leaves: pruned networks as torch keeps them, and smaller ones with their empty channels cut out."""
