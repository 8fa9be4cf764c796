package stack;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/** One task of {@link FragileSink}: takes every record, and fails as soon as its file of faults exists. */
public final class FragileTask extends SinkTask {
    private static final long LOOK_EVERY_MS = 100;

    private Path fault;

    @Override
    public void start(Map<String, String> config) {
        fault = Path.of(config.get("fault"));
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        // Connect calls put() without records too, but only as often as the task asks for, each time anew.
        context.timeout(LOOK_EVERY_MS);
        if (Files.exists(fault)) {
            throw new ConnectException(
                    "warehouse refused " + fault.getFileName(), new IOException("Connection reset by peer"));
        }
    }

    @Override
    public void stop() { }

    @Override
    public String version() {
        return "1";
    }
}
