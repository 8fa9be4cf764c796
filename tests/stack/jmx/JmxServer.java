package stack;

import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.rmi.registry.LocateRegistry;
import java.rmi.registry.Registry;
import java.rmi.server.RMIClientSocketFactory;
import java.rmi.server.RMIServerSocketFactory;
import java.util.HashMap;
import java.util.Map;
import javax.management.MBeanServer;
import javax.management.remote.JMXServiceURL;
import javax.management.remote.MBeanServerForwarder;
import javax.management.remote.rmi.RMIConnectorServer;
import javax.management.remote.rmi.RMIJRMPServerImpl;
import javax.net.ssl.SSLContext;
import javax.rmi.ssl.SslRMIClientSocketFactory;

/**
 * Remote JMX in every mode a JVM may be in, each on a port of its own.
 *
 * <p>Built from the same parts and settings as the JDK's own agent ({@code sun.management.jmxremote.
 * ConnectorBootstrap}), which itself cannot keep to one address.
 */
public final class JmxServer {
    private final MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    private final InetAddress address;
    private final Path files;

    private JmxServer(InetAddress address, Path files) {
        this.address = address;
        this.files = files;
    }

    /** Arguments: address to listen on, folder of certificates and password files, MODE=REGISTRY:SERVER … (ports). */
    public static void main(String[] args) throws Exception {
        JmxServer program = new JmxServer(InetAddress.getByName(args[0]), Path.of(args[1]));
        Sockets.clear(program.address).becomeDefault();
        Beans.register(program.beans);
        for (int index = 2; index < args.length; index++) {
            String[] parts = args[index].split("[=:]");
            program.serve(parts[0], Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
        }
        Files.createFile(program.files.resolve("ready"));
    }

    private void serve(String mode, int registry, int server) throws Exception {
        switch (mode) {
            // Without factories, as a stock JVM: the stub is a UnicastRef. With one of the server: a UnicastRef2.
            case "plain":
            case "denied":
                bind(mode, createRegistry(registry, null), server, null, Map.of());
                break;
            case "two-ports":
                Sockets clear = Sockets.clear(address);
                bind(mode, createRegistry(registry, clear), server, clear, Map.of());
                break;
            case "password":
                bind(mode, createRegistry(registry, null), server, null, logins());
                break;
            case "tls":
                bind(mode, createRegistry(registry, null), server, tls("server"), Map.of());
                break;
            case "tls-registry":
                allTls(mode, registry, server, tls("server"), Map.of());
                break;
            case "tls-untrusted":
                allTls(mode, registry, server, tls("untrusted"), Map.of());
                break;
            case "tls-wrong-name":
                allTls(mode, registry, server, tls("wrong-name"), Map.of());
                break;
            case "tls-expired":
                allTls(mode, registry, server, tls("expired"), Map.of());
                break;
            case "mtls":
                allTls(mode, registry, server, new Sockets(address, context("server"), true), Map.of());
                break;
            case "password-tls":
                allTls(mode, registry, server, tls("server"), logins());
                break;
            case "filtered":
                Map<String, ?> questions =
                        Map.of(RMIConnectorServer.SERIAL_FILTER_PATTERN, "!javax.management.ObjectName;java.**;!*");
                bind(mode, createRegistry(registry, null), server, null, questions);
                break;
            case "filtered-login":
                Map<String, Object> logins = logins();
                logins.put(RMIConnectorServer.CREDENTIALS_FILTER_PATTERN, "!*");
                bind(mode, createRegistry(registry, null), server, null, logins);
                break;
            case "unbound":
                createRegistry(registry, null);
                break;
            default:
                throw new IllegalArgumentException("no such mode: " + mode);
        }
    }

    private void allTls(String mode, int registry, int server, Sockets sockets, Map<String, ?> more)
            throws Exception {
        bind(mode, createRegistry(registry, sockets), server, sockets, more);
    }

    private static Registry createRegistry(int port, Sockets sockets) throws Exception {
        return LocateRegistry.createRegistry(port, clientSide(sockets), sockets);
    }

    private void bind(String mode, Registry registry, int port, Sockets sockets, Map<String, ?> more)
            throws Exception {
        RMIClientSocketFactory client = clientSide(sockets);
        Map<String, Object> environment = new HashMap<>(more);
        put(environment, RMIConnectorServer.RMI_SERVER_SOCKET_FACTORY_ATTRIBUTE, sockets);
        put(environment, RMIConnectorServer.RMI_CLIENT_SOCKET_FACTORY_ATTRIBUTE, client);
        RMIJRMPServerImpl server = new RMIJRMPServerImpl(port, client, (RMIServerSocketFactory) sockets, environment);
        JMXServiceURL url = new JMXServiceURL("rmi", address.getHostAddress(), port);
        RMIConnectorServer connector = new RMIConnectorServer(url, environment, server, beans);
        if (mode.equals("denied")) {
            connector.setMBeanServerForwarder(denying());
        }
        beans.registerMBean(connector, Beans.name("type=ConnectorServer,mode=" + mode));
        connector.start();
        registry.bind("jmxrmi", server.toStub());
    }

    private static void put(Map<String, Object> environment, String key, Object value) {
        if (value != null) {
            environment.put(key, value);
        }
    }

    /** What the stub tells a client to connect with. */
    private static RMIClientSocketFactory clientSide(Sockets sockets) {
        return sockets != null && sockets.speakTls() ? new SslRMIClientSocketFactory() : null;
    }

    private Sockets tls(String certificate) throws Exception {
        return new Sockets(address, context(certificate), false);
    }

    private SSLContext context(String certificate) throws Exception {
        return Sockets.tls(files.resolve(certificate + ".p12"), files.resolve("ca.pem"));
    }

    private Map<String, Object> logins() {
        Map<String, Object> logins = new HashMap<>();
        logins.put("jmx.remote.x.password.file", files.resolve("jmxremote.password").toString());
        logins.put("jmx.remote.x.access.file", files.resolve("jmxremote.access").toString());
        logins.put(RMIConnectorServer.CREDENTIALS_FILTER_PATTERN, String.class.getName() + ";!*");
        return logins;
    }

    /** A policy of the application's own: names may be asked for, attributes not. */
    private static MBeanServerForwarder denying() {
        MBeanServer[] next = new MBeanServer[1];
        InvocationHandler denying = (proxy, method, arguments) -> {
            String called = method.getName();
            if (called.equals("setMBeanServer")) {
                next[0] = (MBeanServer) arguments[0];
                return null;
            }
            if (called.equals("getAttribute") || called.equals("getAttributes")) {
                throw new SecurityException("Access denied! No attribute may be read");
            }
            try {
                return method.invoke(next[0], arguments);
            } catch (InvocationTargetException failed) {
                throw failed.getCause();
            }
        };
        return (MBeanServerForwarder) Proxy.newProxyInstance(
                JmxServer.class.getClassLoader(), new Class<?>[] {MBeanServerForwarder.class}, denying);
    }
}
