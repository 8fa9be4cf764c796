"""The versions of what the stack runs that is not Java (those stand in a pom.xml)."""

# 1.9.5 is the first that reads offset value version 4 (Kafka 4.x) and that needs no ZooKeeper.
# The Go module proxy does not offer 1.9.5.
BURROW_MODULE = "github.com/linkedin/Burrow"
BURROW = "v1.9.6"
BURROW_NEEDS_GO = (1, 24)

# The first whose /api/v1/targets knows scrapePool; Debian 12 has it.
PROMETHEUS = (2, 42)
