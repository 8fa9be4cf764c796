package stack;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.ObjectName;

/** One attribute for each kind of value that a JVM serves over JMX; the collections are in {@link Collected}. */
final class Values {
    private Values() { }

    /** An enum whose constants are classes of their own: what is sent names the enum's class, never the constant's. */
    enum Phase {
        UP {
            @Override
            boolean well() {
                return true;
            }
        },
        DOWN {
            @Override
            boolean well() {
                return false;
            }
        };

        abstract boolean well();
    }

    /** A bean that no reader knows. */
    static class Point implements Serializable {
        private static final long serialVersionUID = 1;

        private final int x;
        private final double y;
        private final String name;
        private final long[] marks = {1, 2, 3};

        Point(int x, double y, String name) {
            this.x = x;
            this.y = y;
            this.name = name;
        }
    }

    /** A subclass that writes more than its fields, as the JDK's collections do. */
    static final class Place extends Point {
        private static final long serialVersionUID = 2;

        private final String city = "Bern";

        Place() {
            super(7, 46.9, "the place");
        }

        private void writeObject(ObjectOutputStream out) throws IOException {
            out.defaultWriteObject();
            out.writeInt(42);
            out.writeUTF("more");
            out.writeObject(List.of("and", "more"));
            out.write(new byte[3000]); // more than one block of block data
        }
    }

    /** What a dynamic proxy needs. */
    private static final class Answering implements InvocationHandler, Serializable {
        private static final long serialVersionUID = 1;

        private final String answer;

        Answering(String answer) {
            this.answer = answer;
        }

        @Override
        public Object invoke(Object proxy, java.lang.reflect.Method method, Object[] arguments) {
            return method.getName().equals("compareTo") ? (Object) 0 : answer;
        }
    }

    static Map<String, Object> all() throws Exception {
        Map<String, Object> all = new LinkedHashMap<>();
        numbers(all);
        texts(all);
        arrays(all);
        others(all);
        return all;
    }

    private static void numbers(Map<String, Object> all) {
        all.put("Integer", 42);
        all.put("IntegerMin", Integer.MIN_VALUE);
        all.put("Long", 1_700_000_000_000L);
        all.put("LongMin", Long.MIN_VALUE);
        all.put("Short", (short) -300);
        all.put("Byte", (byte) -7);
        all.put("Double", 0.1);
        all.put("DoubleMax", Double.MAX_VALUE);
        all.put("NegativeZero", -0.0);
        all.put("NaN", Double.NaN);
        all.put("PlusInfinity", Double.POSITIVE_INFINITY);
        all.put("MinusInfinity", Double.NEGATIVE_INFINITY);
        all.put("Float", 1.5f);
        all.put("FloatNaN", Float.NaN);
        all.put("True", true);
        all.put("False", false);
        all.put("Character", 'ä');
        all.put("BigInteger", new BigInteger("123456789012345678901234567890"));
        all.put("BigIntegerNegative", new BigInteger("-123456789012345678901234567890"));
        all.put("BigIntegerZero", BigInteger.ZERO);
        all.put("BigDecimal", new BigDecimal("-3.14"));
        all.put("AtomicLong", new AtomicLong(5_000_000_000L));
        all.put("AtomicInteger", new AtomicInteger(-5));
        all.put("AtomicBoolean", new AtomicBoolean(true));
    }

    private static void texts(Map<String, Object> all) {
        all.put("String", "orders-app");
        all.put("Empty", "");
        all.put("Unicode", "Größe 5 €, 東京, 😀!"); // RMI writes the last as two surrogates of three bytes each
        all.put("LoneSurrogate", "a\ud83d!");
        all.put("Nul", "a\0b");
        all.put("Lines", "one\ntwo\ttab");
        all.put("Longest", "x".repeat(65_535)); // the longest with a length of two bytes
        all.put("Long100000", "0123456789".repeat(10_000)); // eight bytes of length
        all.put("LongUnicode", "€".repeat(30_000)); // few characters, yet more than 65,535 bytes
        all.put("Null", null);
        all.put("Enum", TimeUnit.SECONDS);
        all.put("ThreadState", Thread.State.TIMED_WAITING);
        all.put("EnumWithBody", Phase.DOWN);
    }

    private static void arrays(Map<String, Object> all) throws Exception {
        all.put("Ints", new int[] {1, -2, Integer.MAX_VALUE});
        all.put("NoInts", new int[0]);
        all.put("Longs", new long[] {1, -2, Long.MAX_VALUE});
        all.put("Shorts", new short[] {1, -2});
        all.put("Doubles", new double[] {0.5, Double.NaN, Double.NEGATIVE_INFINITY});
        all.put("Floats", new float[] {0.5f, -1.5f});
        all.put("Booleans", new boolean[] {true, false, true});
        all.put("Bytes", new byte[] {0, 1, -1});
        all.put("Chars", new char[] {'a', 'ä', '€'});
        all.put("Strings", new String[] {"a", null, "b", "a"});
        all.put("NoStrings", new String[0]);
        all.put("Boxed", new Integer[] {1, null, 3});
        all.put("Objects", new Object[] {1, "two", 3.0, null, new int[] {4}, TimeUnit.DAYS});
        all.put("Table", new String[][] {{"a", "b"}, {}, null, {"c"}});
        all.put("Enums", new TimeUnit[] {TimeUnit.DAYS, TimeUnit.DAYS, TimeUnit.HOURS});
        all.put("Names", new ObjectName[] {new ObjectName("a:type=b"), new ObjectName("c:*")});
    }

    private static void others(Map<String, Object> all) throws Exception {
        all.put("Date", new Date(1_700_000_000_123L));
        all.put("ObjectName", new ObjectName("kafka.server:type=app-info,id=1"));
        all.put("Instant", Instant.ofEpochSecond(1_700_000_000, 5)); // Externalizable, as all of java.time
        all.put("Duration", Duration.ofMillis(1500));
        all.put("UUID", new UUID(1, 2));
        all.put("Address", InetAddress.getByAddress("broker-0", new byte[] {127, 0, 0, 1}));
        all.put("Class", String.class);
        all.put("ClassOfInts", int[].class);
        all.put("Throwable", new IllegalStateException("kept", new IOException("disk full")));
        all.put("Point", new Point(1, 2.5, "a point"));
        all.put("Place", new Place());
        all.put("Points", new Point[] {new Point(1, 1, "p"), new Point(2, 2, "q")});
        all.put("Unserializable", Optional.of("x"));
        all.put("HoldsUnserializable", new ArrayList<>(Arrays.asList("fine", new Object())));
        Class<?>[] comparable = {Comparable.class};
        all.put("Proxy", Proxy.newProxyInstance(Values.class.getClassLoader(), comparable, new Answering("yes")));
        Object[] cycle = {"itself", null};
        cycle[1] = cycle;
        all.put("Cycle", cycle);
        List<String> twice = new ArrayList<>(List.of("a"));
        all.put("SameTwice", new Object[] {twice, twice, "a", "a"});
        Object deep = "the bottom";
        for (int level = 0; level < 500; level++) {
            deep = new Object[] {deep};
        }
        all.put("Deep500", deep);
    }
}
