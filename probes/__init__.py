"""The probes: every module directly in here is one question to one system."""
