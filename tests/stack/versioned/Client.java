package stack;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.Stores;

/** One Streams client, by what every version from 2.3 to 4.3 offers; what only newer ones do goes by reflection. */
final class Client {
    private static final String HANDLER = "org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler";

    final Orders orders = new Orders();
    private final String id;
    private final KafkaStreams streams;

    /**
     * A client that reads `topic` as the application `application`, which is its group; not started.
     *
     * <p>With 0 threads it has nothing but a global table.
     */
    Client(Properties common, String topic, String application, String id, String threads) {
        this.id = id;
        Properties config = new Properties();
        config.putAll(common);
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        config.put(StreamsConfig.CLIENT_ID_CONFIG, id);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads.equals("0") ? "1" : threads);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, "1000");
        // A new partition is a rebalance; by default it is noticed after five minutes.
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.METADATA_MAX_AGE_CONFIG), "1000");
        // Dead threads stay in the group until their session has expired: 10 s by default, 45 s since 3.0.
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), "6000");
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), "1000");
        StreamsBuilder builder = new StreamsBuilder();
        if (threads.equals("0")) {
            builder.globalTable(topic, Materialized.as(Stores.inMemoryKeyValueStore("all")));
        } else {
            builder.<String, String>table(topic).transformValues(orders::task);
        }
        this.streams = new KafkaStreams(builder.build(), config);
        handleExceptions();
    }

    /** Since 2.8 a handler decides what a thread's death means; before, the thread dies and that is all. */
    private void handleExceptions() {
        Class<?> type;
        try {
            type = Class.forName(HANDLER);
        } catch (ClassNotFoundException old) {
            streams.setUncaughtExceptionHandler((thread, error) -> System.err.println(thread.getName() + ": " + error));
            return;
        }
        Object handler = Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answer((Throwable) arguments[0]));
        try {
            KafkaStreams.class.getMethod("setUncaughtExceptionHandler", type).invoke(streams, handler);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    /** No answer of a handler lets one thread die; a handler that throws does just that, and the others live on. */
    private static Object answer(Throwable error) throws ClassNotFoundException {
        Orders.Order order = Orders.Ordered.of(error);
        if (order == Orders.Order.DIE) {
            throw new Orders.Ordered(order);
        }
        Class<?> answers = Class.forName(HANDLER + "$StreamThreadExceptionResponse");
        return Arrays.stream(answers.getEnumConstants())
                .filter(each -> ((Enum<?>) each).name().equals(order.name()))
                .findFirst()
                .orElseThrow();
    }

    void start() {
        streams.start();
    }

    /** Begin to close; it takes as long as its threads do. */
    void close() {
        streams.close(Duration.ZERO);
    }

    /** By what the client and the JVM's list of threads say, and no metric. */
    String status() {
        long threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().matches("\\Q" + id + "\\E-StreamThread-\\d+"))
                .count();
        return String.format(
                "{\"client\":\"%s\",\"state\":\"%s\",\"threads\":%d,\"tasks\":%d,"
                        + "\"held\":%d,\"wedged\":%d,\"pending\":%b}",
                id,
                streams.state(),
                threads,
                orders.tasks(),
                orders.ready.waiting(),
                orders.wedge.waiting(),
                orders.pending());
    }
}
