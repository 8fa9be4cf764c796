"""The machinery that probes share."""
