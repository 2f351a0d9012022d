"""Checkpoints alone: judged before anything reads them, and mapped from their files."""
