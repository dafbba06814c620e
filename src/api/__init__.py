"""The service: the night's verbs over HTTP."""
