"""The Models page: bring one's own network, and see what is in it before anything is pruned."""
