package stack;

import java.lang.reflect.Array;
import java.rmi.registry.LocateRegistry;
import java.rmi.server.RMIClientSocketFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.rmi.RMIConnector;
import javax.management.remote.rmi.RMIServer;
import javax.rmi.ssl.SslRMIClientSocketFactory;

/**
 * Java's own client. Every line of its output is one answer: {@code CLASS: TEXT}, or the exceptions, {@code !CLASS:
 * MESSAGE <- CLASS: MESSAGE}, from the outermost to its cause.
 *
 * <p>Arguments: ADDRESS USER:PASSWORD REGISTRY-TLS(true|false) BEAN ATTRIBUTE, again and again; {@code -} is no login.
 * An ATTRIBUTE {@code ?} asks for the names that match BEAN; one with commas is several attributes in one call.
 */
public final class Read {
    private Read() { }

    public static void main(String[] args) {
        for (int index = 0; index + 5 <= args.length; index += 5) {
            String answer;
            try {
                answer = told(read(args[index], args[index + 1], args[index + 2], args[index + 3], args[index + 4]));
            } catch (Exception failed) {
                answer = "!" + told(failed);
            }
            System.out.println(answer.replace("\n", "\\n"));
        }
        System.exit(0); // RMI's threads would keep it alive
    }

    private static Object read(String address, String login, String tls, String bean, String attribute)
            throws Exception {
        Map<String, Object> environment = new HashMap<>();
        if (!login.equals("-")) {
            environment.put(JMXConnector.CREDENTIALS, login.split(":", 2));
        }
        try (JMXConnector connector = new RMIConnector(stub(address, Boolean.parseBoolean(tls)), environment)) {
            connector.connect();
            MBeanServerConnection server = connector.getMBeanServerConnection();
            ObjectName name = new ObjectName(bean);
            if (attribute.contains(",")) {
                return server.getAttributes(name, attribute.split(","));
            }
            return attribute.equals("?") ? server.queryNames(name, null) : server.getAttribute(name, attribute);
        }
    }

    /** What a service URL leads to, without JNDI, which not every runtime has. */
    private static RMIServer stub(String address, boolean tls) throws Exception {
        int colon = address.lastIndexOf(':');
        int port = Integer.parseInt(address.substring(colon + 1));
        RMIClientSocketFactory factory = tls ? new SslRMIClientSocketFactory() : null;
        return (RMIServer) LocateRegistry.getRegistry(address.substring(0, colon), port, factory).lookup("jmxrmi");
    }

    private static String told(Object value) {
        if (value == null) {
            return "null";
        }
        if (!value.getClass().isArray()) {
            return value.getClass().getName() + ": " + value;
        }
        List<String> items = new ArrayList<>();
        for (int index = 0; index < Array.getLength(value); index++) {
            items.add(String.valueOf(Array.get(value, index)));
        }
        return value.getClass().getName() + ": " + items;
    }

    private static String told(Exception failed) {
        List<String> chain = new ArrayList<>();
        for (Throwable each = failed; each != null; each = each.getCause()) {
            chain.add(each.getClass().getName() + ": " + each.getMessage());
        }
        return String.join(" <- ", chain);
    }
}
