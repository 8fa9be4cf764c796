package stack;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.rmi.server.RMIServerSocketFactory;
import java.rmi.server.RMISocketFactory;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Objects;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Server sockets on one address, in clear or with TLS.
 *
 * <p>RMI shares one port between registry and server only if their factories are equal.
 */
final class Sockets implements RMIServerSocketFactory {
    private static final char[] PASSWORD = "stetho".toCharArray();

    private final InetAddress address;
    private final SSLContext tls;
    private final boolean askClient;

    Sockets(InetAddress address, SSLContext tls, boolean askClient) {
        this.address = address;
        this.tls = tls;
        this.askClient = askClient;
    }

    static Sockets clear(InetAddress address) {
        return new Sockets(address, null, false);
    }

    boolean speakTls() {
        return tls != null;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Sockets)) {
            return false;
        }
        Sockets others = (Sockets) other;
        return address.equals(others.address) && Objects.equals(tls, others.tls) && askClient == others.askClient;
    }

    @Override
    public int hashCode() {
        return Objects.hash(address, tls, askClient);
    }

    @Override
    public ServerSocket createServerSocket(int port) throws IOException {
        if (tls == null) {
            return new ServerSocket(port, 50, address);
        }
        SSLServerSocket socket =
                (SSLServerSocket) tls.getServerSocketFactory().createServerSocket(port, 50, address);
        socket.setNeedClientAuth(askClient);
        return socket;
    }

    /** For what is exported without a factory, as a stock JVM does; its default listens on every address. */
    void becomeDefault() throws IOException {
        RMISocketFactory.setSocketFactory(new RMISocketFactory() {
            @Override
            public ServerSocket createServerSocket(int port) throws IOException {
                return Sockets.this.createServerSocket(port);
            }

            @Override
            public Socket createSocket(String host, int port) throws IOException {
                return new Socket(host, port);
            }
        });
    }

    /** A server's TLS: its key and chain from a PKCS#12 file, its clients' CA from a PEM file. */
    static SSLContext tls(Path keys, Path authority) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            own.load(in, PASSWORD);
        }
        KeyManagerFactory identity = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        identity.init(own, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(identity.getKeyManagers(), trusting(authority).getTrustManagers(), null);
        return context;
    }

    private static TrustManagerFactory trusting(Path authority) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream in = Files.newInputStream(authority)) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        return trust;
    }
}
