"""Lessons: what each one says and asks is a file; what one plays with is a scene, computed by the engine."""
