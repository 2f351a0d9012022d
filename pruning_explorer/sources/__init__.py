"""Where subjects come from."""
