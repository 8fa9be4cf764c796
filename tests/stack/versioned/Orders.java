package stack;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.ProcessorContext;

/**
 * What the stream threads of one client do with records, and the orders to do something else.
 *
 * <p>A table's value transformer is the one piece of the topology that every version from 2.3 to 4.3 has and that can
 * also be made to wait while its task is made ready.
 */
final class Orders {
    /** What one thread, whichever comes first, does with its next record. The last three are uncaught exceptions. */
    enum Order { WEDGE, DIE, REPLACE_THREAD, SHUTDOWN_CLIENT }

    /** What a thread throws to carry out an order. */
    static final class Ordered extends RuntimeException {
        private static final long serialVersionUID = 1L;
        final Order order;

        Ordered(Order order) {
            super("ordered: " + order);
            this.order = order;
        }

        /** The order behind an exception of a stream thread; DIE if there is none. */
        static Order of(Throwable error) {
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                if (cause instanceof Ordered ordered) {
                    return ordered.order;
                }
            }
            return Order.DIE;
        }
    }

    /** Tasks that are being made ready wait here: a start or a rebalance that lasts. */
    final Gate ready = new Gate();
    /** Threads that were ordered to wedge wait here, in the middle of a record. */
    final Gate wedge = new Gate();

    private final Map<Task, Thread> tasks = new ConcurrentHashMap<>();
    private Order next;
    private Thread victim;

    synchronized void give(Order order) {
        if (order == Order.WEDGE) {
            wedge.shut();
        }
        next = order;
    }

    /** Exactly one thread takes an order. */
    private synchronized Order take() {
        Order taken = next;
        if (taken != null) {
            next = null;
            victim = taken == Order.WEDGE ? victim : Thread.currentThread();
        }
        return taken;
    }

    /** Whether the last order is still to be taken, or the thread that took it is still dying. */
    synchronized boolean pending() {
        return next != null || (victim != null && victim.isAlive());
    }

    /** The tasks that living threads have; whether they are ready, {@link #ready} tells. */
    long tasks() {
        return tasks.values().stream().filter(Thread::isAlive).count();
    }

    ValueTransformerWithKey<String, String, String> task() {
        return new Task();
    }

    private final class Task implements ValueTransformerWithKey<String, String, String> {
        @Override
        public void init(ProcessorContext context) {
            tasks.put(this, Thread.currentThread());
            ready.pass();
        }

        @Override
        public String transform(String key, String value) {
            Order order = take();
            if (order == Order.WEDGE) {
                wedge.pass();
            } else if (order != null) {
                throw new Ordered(order);
            }
            return value;
        }

        @Override
        public void close() {
            tasks.remove(this);
        }
    }
}
