package stack;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** The faults that can be ordered: a stream thread carries each out, inside its own processing, as real ones happen. */
final class Faults implements StreamsUncaughtExceptionHandler {
    enum Fault { LOSE_THREAD, REPLACE_THREAD, DIE }

    /** What a thread throws to carry out a fault. */
    private static final class Ordered extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final Fault fault;

        Ordered(Fault fault) {
            super("ordered to fail: " + fault);
            this.fault = fault;
        }
    }

    private Fault next;
    private Thread victim;
    private final AtomicInteger held = new AtomicInteger();
    private volatile CountDownLatch gate = new CountDownLatch(0);

    synchronized void order(Fault fault) {
        next = fault;
    }

    /** Exactly one thread takes an order. */
    private synchronized Fault take() {
        Fault taken = next;
        if (taken != null) {
            next = null;
            victim = Thread.currentThread();
        }
        return taken;
    }

    /** Whether the last order is still to be carried out, or the thread that took it still dying. */
    synchronized boolean pending() {
        return next != null || (victim != null && victim.isAlive());
    }

    /** From now on a task that moves to another thread is not ready before {@link #release}: a long rebalance. */
    void hold() {
        gate = new CountDownLatch(1);
    }

    void release() {
        gate.countDown();
    }

    /** Tasks that wait for {@link #release}. */
    int held() {
        return held.get();
    }

    FixedKeyProcessor<String, String, String> processor() {
        return new Obedient();
    }

    private final class Obedient implements FixedKeyProcessor<String, String, String> {
        private FixedKeyProcessorContext<String, String> context;

        @Override
        public void init(FixedKeyProcessorContext<String, String> context) {
            this.context = context;
            pass();
            context.schedule(Duration.ofMillis(100), PunctuationType.WALL_CLOCK_TIME, now -> strike());
        }

        private void pass() {
            held.incrementAndGet();
            try {
                gate.await();
            } catch (InterruptedException interrupted) {
                throw new StreamsException(interrupted);
            } finally {
                held.decrementAndGet();
            }
        }

        private void strike() {
            Fault fault = take();
            if (fault != null) {
                throw new Ordered(fault);
            }
        }

        @Override
        public void process(FixedKeyRecord<String, String> order) {
            context.forward(order);
        }
    }

    /** A handler cannot answer "let this thread die"; one that throws does just that, and the others live on. */
    @Override
    public StreamThreadExceptionResponse handle(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof Ordered ordered) {
                return switch (ordered.fault) {
                    case LOSE_THREAD -> throw ordered;
                    case REPLACE_THREAD -> StreamThreadExceptionResponse.REPLACE_THREAD;
                    case DIE -> StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
                };
            }
        }
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }
}
