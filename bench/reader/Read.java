import java.util.Set;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * What stetho's JMX probes are measured against: a JVM that makes the same reads once, and exits 0 if all is well.
 *
 * <p>Arguments: host:port, and what is read: {@code streams}, {@code heap}. It prints nothing, and leaves without
 * closing the connection, which would only cost.
 */
public final class Read {
    private static final String[] CLIENT = {
        "state", "client-state", "alive-stream-threads", "failed-stream-threads"
    };

    private Read() { }

    public static void main(String[] args) throws Exception {
        JMXServiceURL address = new JMXServiceURL("service:jmx:rmi:///jndi/rmi://" + args[0] + "/jmxrmi");
        JMXConnector connector = JMXConnectorFactory.connect(address);
        MBeanServerConnection server = connector.getMBeanServerConnection();
        boolean well = true;
        for (int i = 1; i < args.length; i++) {
            well &= args[i].equals("streams") ? running(server) : used(server) > 0;
        }
        Runtime.getRuntime().halt(well ? 0 : 1);
    }

    /** As {@code stetho probe streams --jmx}: the clients' states and threads, the count of metrics, the uptime. */
    private static boolean running(MBeanServerConnection server) throws Exception {
        Set<ObjectName> clients = server.queryNames(new ObjectName("kafka.streams:type=stream-metrics,*"), null);
        boolean running = false;
        for (ObjectName client : clients) {
            AttributeList found = server.getAttributes(client, CLIENT);
            running |= found.contains(new Attribute("state", "RUNNING"));
        }
        Object count = server.getAttribute(new ObjectName("kafka.streams:type=kafka-metrics-count"), "count");
        Object uptime = server.getAttribute(new ObjectName("java.lang:type=Runtime"), "Uptime");
        return running && count != null && uptime != null;
    }

    /** As {@code stetho probe jmx} asked for java.lang:type=Memory HeapMemoryUsage.used. */
    private static long used(MBeanServerConnection server) throws Exception {
        Object usage = server.getAttribute(new ObjectName("java.lang:type=Memory"), "HeapMemoryUsage");
        return (Long) ((CompositeData) usage).get("used");
    }
}
