"""What a JVM tells of its Kafka Streams clients, the same by each way of asking; probes/streams.py judges it."""
