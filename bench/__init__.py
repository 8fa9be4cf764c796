"""What stetho costs, measured: `python -m bench`."""
