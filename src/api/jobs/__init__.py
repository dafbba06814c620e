"""Long jobs: durable workflows in a worker process beside the API."""
