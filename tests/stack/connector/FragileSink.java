package stack;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;

/**
 * A sink that breaks on command: it refuses to start while a file with its name lies in the folder {@code faults}, and
 * its task 2 fails while a file {@code NAME-2} lies there. With {@code tasks: 0} it runs and does nothing.
 */
public final class FragileSink extends SinkConnector {
    private static final ConfigDef CONFIG = new ConfigDef()
            .define("faults", Type.STRING, Importance.HIGH, "Folder of the files that say what fails.")
            .define("tasks", Type.INT, 1, Range.atLeast(0), Importance.HIGH, "Tasks, at most tasks.max.");

    private Map<String, String> config;

    @Override
    public void start(Map<String, String> config) {
        this.config = config;
        Path fault = Path.of(config.get("faults"), config.get("name"));
        if (Files.exists(fault)) {
            throw new ConnectException("connector " + config.get("name") + " cannot reach its warehouse");
        }
    }

    @Override
    public List<Map<String, String>> taskConfigs(int most) {
        int tasks = Math.min(most, Integer.parseInt(config.getOrDefault("tasks", "1")));
        List<Map<String, String>> configs = new ArrayList<>();
        for (int id = 0; id < tasks; id++) {
            Map<String, String> task = new HashMap<>(config);
            task.put("fault", Path.of(config.get("faults"), config.get("name") + "-" + id).toString());
            configs.add(task);
        }
        return configs;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return FragileTask.class;
    }

    @Override
    public void stop() { }

    @Override
    public ConfigDef config() {
        return CONFIG;
    }

    @Override
    public String version() {
        return "1";
    }
}
