"""Exports: pruned networks as files that torch loads, and smaller networks without their empty channels."""
