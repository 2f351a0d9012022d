"""What masks do to a subject: sparsity, drift, quality, cost."""
