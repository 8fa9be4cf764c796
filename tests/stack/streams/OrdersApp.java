package stack;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

/**
 * Counts the orders of each customer, and breaks on command.
 *
 * <p>The JVM outlives its Streams client, as a web application's does: after the client has died or was closed, JMX
 * and HTTP still answer. A POST to the control port is a command (see {@link #obey}); every answer is {@link #status}.
 */
public final class OrdersApp {
    private final Properties config;
    private final Faults faults = new Faults();
    private volatile KafkaStreams client;

    private OrdersApp(Properties config) {
        this.config = config;
        this.client = create();
    }

    /** Arguments: bootstrap servers, control port, JMX port, number of stream threads, folder for state. */
    public static void main(String[] args) throws Exception {
        OrdersApp app = new OrdersApp(config(args[0], args[3], args[4]));
        LoopbackJmx.serve(Integer.parseInt(args[2]));
        InetSocketAddress address =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
        HttpServer control = HttpServer.create(address, 0);
        control.setExecutor(Executors.newCachedThreadPool());
        control.createContext("/", app::answer);
        control.start();
        Runtime.getRuntime().addShutdownHook(new Thread(app::close));
    }

    private static Properties config(String bootstrap, String threads, String folder) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "orders-app");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads);
        config.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, "1000");
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
        // A killed instance blocks the next one's first rebalance until its session has expired: 45 s by default.
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), "6000");
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), "1000");
        return config;
    }

    private Topology topology() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream("orders", Consumed.with(Serdes.String(), Serdes.String()))
                .processValues(faults::processor)
                .groupByKey()
                .count(Materialized.as(Stores.inMemoryKeyValueStore("orders-by-customer")))
                .toStream()
                .to("order-counts", Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build(config);
    }

    private KafkaStreams create() {
        KafkaStreams created = new KafkaStreams(topology(), config);
        created.setUncaughtExceptionHandler(faults);
        return created;
    }

    private void answer(HttpExchange exchange) throws IOException {
        int status = 200;
        String text;
        try {
            obey(exchange.getRequestURI().getPath().substring(1));
            text = status();
        } catch (IllegalArgumentException | IllegalStateException refused) {
            status = 400;
            text = refused.toString();
        }
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    /**
     * The client's state, its living threads' states, how many tasks they have, whether a fault is still to strike,
     * and the tasks held back.
     */
    private String status() {
        String threads = client.metadataForLocalThreads().stream()
                .map(thread -> '"' + thread.threadState() + '"')
                .filter(state -> !state.equals("\"DEAD\""))
                .collect(Collectors.joining(","));
        int tasks = client.metadataForLocalThreads().stream()
                .mapToInt(thread -> thread.activeTasks().size())
                .sum();
        return String.format(
                "{\"state\":\"%s\",\"threads\":[%s],\"tasks\":%d,\"pending\":%b,\"held\":%d}",
                client.state(), threads, tasks, faults.pending(), faults.held());
    }

    private void obey(String command) {
        switch (command) {
            case "status" -> { }
            case "start" -> start();
            case "close" -> close();
            case "add-thread" -> client.addStreamThread();
            case "remove-thread" -> client.removeStreamThread(Duration.ofSeconds(20));
            case "rebalance" -> {
                faults.hold();
                client.addStreamThread();
            }
            case "settle" -> {
                faults.release();
                client.removeStreamThread(Duration.ofSeconds(20));
            }
            case "lose-thread" -> faults.order(Faults.Fault.LOSE_THREAD);
            case "replace-thread" -> faults.order(Faults.Fault.REPLACE_THREAD);
            case "die" -> faults.order(Faults.Fault.DIE);
            default -> throw new IllegalArgumentException("no such command: " + command);
        }
    }

    /** A client can be started once; a dead or closed one is replaced, as a restarted application would. */
    private void start() {
        if (client.state() != KafkaStreams.State.CREATED) {
            close();
            client = create();
        }
        client.start();
    }

    private void close() {
        faults.release();
        // Without leaving the group, the next instance would wait for this one's session to expire.
        client.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
                .withTimeout(Duration.ofSeconds(8)));
    }
}
