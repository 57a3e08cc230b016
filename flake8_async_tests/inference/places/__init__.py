"""Where something stands: in a test or a helper, under an expectation, for one version alone."""
