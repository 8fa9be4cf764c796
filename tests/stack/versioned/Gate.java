package stack;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Where stream threads pass, unless it is shut: then they wait there until it opens. */
final class Gate {
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile CountDownLatch latch = new CountDownLatch(0);

    void shut() {
        latch = new CountDownLatch(1);
    }

    void open() {
        latch.countDown();
    }

    int waiting() {
        return waiting.get();
    }

    void pass() {
        waiting.incrementAndGet();
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        } finally {
            waiting.decrementAndGet();
        }
    }
}
