package stack;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.rmi.registry.LocateRegistry;
import java.rmi.registry.Registry;
import java.rmi.server.RMIServerSocketFactory;
import java.util.Map;
import javax.management.remote.JMXServiceURL;
import javax.management.remote.rmi.RMIConnectorServer;
import javax.management.remote.rmi.RMIJRMPServerImpl;

/**
 * Remote JMX (RMI) with every socket on loopback.
 *
 * <p>The stock {@code -Dcom.sun.management.jmxremote.port} speaks the same protocol, but the JVM then opens one more
 * port, on the wildcard address.
 */
final class LoopbackJmx {
    private LoopbackJmx() { }

    /** RMI shares one port between registry and server only if their factories are equal; a record's are. */
    private record Loopback() implements RMIServerSocketFactory {
        @Override
        public ServerSocket createServerSocket(int port) throws IOException {
            return new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
        }
    }

    static void serve(int port) throws IOException {
        System.setProperty("java.rmi.server.hostname", InetAddress.getLoopbackAddress().getHostAddress());
        Loopback sockets = new Loopback();
        Registry registry = LocateRegistry.createRegistry(port, null, sockets);
        Map<String, Object> environment = Map.of(RMIConnectorServer.RMI_SERVER_SOCKET_FACTORY_ATTRIBUTE, sockets);
        RMIJRMPServerImpl server = new RMIJRMPServerImpl(port, null, sockets, environment);
        new RMIConnectorServer(
                        new JMXServiceURL("rmi", "127.0.0.1", port),
                        environment,
                        server,
                        ManagementFactory.getPlatformMBeanServer())
                .start();
        registry.rebind("jmxrmi", server.toStub());
    }
}
