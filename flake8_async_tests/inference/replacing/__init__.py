"""What may stand in for something else: patches, mocks, whoever answers a request."""
