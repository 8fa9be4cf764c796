package stack;

import java.io.IOException;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** The MBeans of the domain {@code stetho.test}. */
public final class Beans {
    static final String DOMAIN = "stetho.test";

    private Beans() { }

    static void register(MBeanServer server) throws Exception {
        server.registerMBean(new Table(Values.all()), name("type=Values"));
        server.registerMBean(new Table(Collected.all()), name("type=Collected"));
        server.registerMBean(new Table(Opened.all()), name("type=Opened"));
        server.registerMBean(new Table(Moments.all()), name("type=Moments"));
        server.registerMBean(new Shapes(), name("type=Shapes"));
        server.registerMBean(new Faulty(), name("type=Faulty"));
        server.registerMBean(new Leaks(), name("type=Leaks"));
        for (String client : new String[] {"a,b*?\"c", "two\nlines", "back\\slash", "a=b:c", ""}) {
            server.registerMBean(new Table(Map.of("Value", client)), quoted(client));
        }
        server.registerMBean(new Table(Map.of("Value", "größer")), name("type=Größe,name=Ü 😀"));
        for (int id = 0; id < 1_000; id++) {
            server.registerMBean(new Table(Map.of("Value", id)), name(String.format("type=Many,name=many-%03d", id)));
        }
        String[] many = IntStream.range(0, 50_000).mapToObj(id -> "a string, number " + id).toArray(String[]::new);
        server.registerMBean(new Table(Map.of("Strings", many)), name("type=Big"));
    }

    static ObjectName name(String properties) throws Exception {
        return new ObjectName(DOMAIN + ":" + properties);
    }

    private static ObjectName quoted(String client) throws Exception {
        return name("type=Quoted,client-id=" + ObjectName.quote(client));
    }

    /** What an MXBean makes of Java's own types: of a map a table of key and value, of a bean a composite. */
    public interface ShapesMXBean {
        Map<String, Long> getLags();

        Map<String, Size> getSizes();

        SortedMap<Integer, List<String>> getLists();

        Map<String, Map<String, Integer>> getMaps();

        List<Size> getAll();

        Size getOne();

        TimeUnit getUnit();

        int getPrimitive();

        ObjectName getReference();
    }

    /** A bean as an MXBean's attribute. */
    public static final class Size {
        private final long bytes;
        private final String unit;

        Size(long bytes, String unit) {
            this.bytes = bytes;
            this.unit = unit;
        }

        public long getBytes() {
            return bytes;
        }

        public String getUnit() {
            return unit;
        }
    }

    private static final class Shapes implements ShapesMXBean {
        @Override
        public Map<String, Long> getLags() {
            return new TreeMap<>(Map.of("orders", 12L, "payments", 7L));
        }

        @Override
        public Map<String, Size> getSizes() {
            return new TreeMap<>(Map.of("orders", new Size(5, "B")));
        }

        @Override
        public SortedMap<Integer, List<String>> getLists() {
            return new TreeMap<>(Map.of(1, List.of("a", "b"), 2, List.of()));
        }

        @Override
        public Map<String, Map<String, Integer>> getMaps() {
            return new TreeMap<>(Map.of("orders", Map.of("0", 3)));
        }

        @Override
        public List<Size> getAll() {
            return List.of(new Size(1, "B"), new Size(2, "kB"));
        }

        @Override
        public Size getOne() {
            return new Size(1, "B");
        }

        @Override
        public TimeUnit getUnit() {
            return TimeUnit.SECONDS;
        }

        @Override
        public int getPrimitive() {
            return 5;
        }

        @Override
        public ObjectName getReference() {
            try {
                return name("type=Values");
            } catch (Exception impossible) {
                throw new AssertionError(impossible);
            }
        }
    }

    /** Attributes that cannot be read, each for a reason of its own. */
    public interface FaultyMBean {
        int getWell();

        int getRuntime();

        int getChecked() throws IOException;

        int getError();

        int getSecurity();

        int getWithoutMessage();

        int getOwn() throws OwnException;

        int getUnserializable();

        Object getStream();

        int getSlow() throws InterruptedException;

        void setWriteOnly(int value);
    }

    /** An exception whose class no client has. */
    public static final class OwnException extends Exception {
        private static final long serialVersionUID = 1;

        private final Map<String, Integer> details = new Hashtable<>(Map.of("code", 7));

        OwnException(String message) {
            super(message);
        }
    }

    private static final class Faulty implements FaultyMBean {
        @Override
        public int getWell() {
            return 1;
        }

        @Override
        public int getRuntime() {
            throw new IllegalStateException("the store is closed", new IOException("disk full"));
        }

        @Override
        public int getChecked() throws IOException {
            throw new IOException("no such file");
        }

        @Override
        public int getError() {
            throw new AssertionError("must not happen");
        }

        @Override
        public int getSecurity() {
            throw new SecurityException("not for you");
        }

        @Override
        public int getWithoutMessage() {
            throw new NullPointerException();
        }

        @Override
        public int getOwn() throws OwnException {
            throw new OwnException("of a class of ours");
        }

        @Override
        public int getUnserializable() {
            throw new IllegalStateException("holds what cannot be sent") {
                private final Object held = new Object();
            };
        }

        @Override
        public Object getStream() {
            return System.out;
        }

        @Override
        public int getSlow() throws InterruptedException {
            Thread.sleep(30_000);
            return 1;
        }

        @Override
        public void setWriteOnly(int value) { }
    }

    /** What a client's connections cost this JVM. */
    public interface LeaksMBean {
        /** Threads that serve a connection, this reader's too. */
        long getConnectionThreads();

        /** Those kept for the next connection, for a minute. */
        long getIdleThreads();
    }

    private static final class Leaks implements LeaksMBean {
        @Override
        public long getConnectionThreads() {
            return threads("RMI TCP Connection(") - getIdleThreads();
        }

        @Override
        public long getIdleThreads() {
            return threads("RMI TCP Connection(idle)");
        }

        private static long threads(String start) {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith(start))
                    .count();
        }
    }
}
