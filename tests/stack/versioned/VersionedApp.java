package stack;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.streams.StreamsConfig;

/**
 * An application with any number of Streams clients, of whatever version stands on its class path.
 *
 * <p>It is compiled once, against the oldest. The JVM outlives its clients: after one has died or was closed, JMX and
 * HTTP still answer. A POST to the control port is a command (see {@link #obey}); every answer is the status of all.
 */
public final class VersionedApp {
    private final Properties common;
    private final String topic;
    private final Map<String, Client> clients = new LinkedHashMap<>();

    private VersionedApp(Properties common, String topic) {
        this.common = common;
        this.topic = topic;
    }

    /** Arguments: bootstrap servers, control port, JMX port, topic, folder for state. */
    public static void main(String[] args) throws Exception {
        Properties common = new Properties();
        common.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        common.put(StreamsConfig.STATE_DIR_CONFIG, args[4]);
        VersionedApp app = new VersionedApp(common, args[3]);
        LoopbackJmx.serve(Integer.parseInt(args[2]));
        InetSocketAddress address =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
        HttpServer control = HttpServer.create(address, 0);
        control.createContext("/", app::answer);
        control.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        int status = 200;
        String text;
        try {
            obey(exchange.getRequestURI().getPath().substring(1).split("/"));
            text = clients.values().stream().map(Client::status).collect(Collectors.joining(",", "[", "]"));
        } catch (RuntimeException refused) {
            status = 400;
            text = refused.toString();
        }
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    /** `status`, `create/APPLICATION/CLIENT/THREADS`, or `COMMAND/CLIENT`. */
    private void obey(String[] words) {
        if (words[0].equals("status")) {
            return;
        }
        if (words[0].equals("create")) {
            clients.put(words[2], new Client(common, topic, words[1], words[2], words[3]));
            return;
        }
        Client client = clients.get(words[1]);
        switch (words[0]) {
            case "start" -> client.start();
            case "close" -> client.close();
            case "forget" -> clients.remove(words[1]);
            case "hold" -> client.orders.ready.shut();
            case "release" -> {
                client.orders.ready.open();
                client.orders.wedge.open();
            }
            case "wedge" -> client.orders.give(Orders.Order.WEDGE);
            case "die" -> client.orders.give(Orders.Order.DIE);
            case "replace-thread" -> client.orders.give(Orders.Order.REPLACE_THREAD);
            case "shutdown-client" -> client.orders.give(Orders.Order.SHUTDOWN_CLIENT);
            default -> throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }
}
