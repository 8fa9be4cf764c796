package stack;

import java.util.LinkedHashMap;
import java.util.Map;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.openmbean.CompositeType;
import javax.management.openmbean.OpenDataException;
import javax.management.openmbean.OpenType;
import javax.management.openmbean.SimpleType;
import javax.management.openmbean.TabularDataSupport;
import javax.management.openmbean.TabularType;

/** One attribute for each form of JMX's open data. What an MXBean makes of maps and beans is in {@link Beans}. */
final class Opened {
    private Opened() { }

    private static final OpenType<?>[] PARTITION_TYPES = {
        SimpleType.STRING, SimpleType.INTEGER, SimpleType.LONG, SimpleType.DOUBLE
    };
    private static final String[] PARTITION_KEYS = {"topic", "partition", "lag", "rate"};

    static Map<String, Object> all() throws OpenDataException {
        CompositeType partition =
                new CompositeType("Partition", "a partition", PARTITION_KEYS, PARTITION_KEYS, PARTITION_TYPES);
        CompositeData first = partition(partition, "orders", 0, 12L);
        CompositeData second = partition(partition, "orders", 1, null);
        CompositeData third = partition(partition, "payments", 0, 7L);

        String[] keys = {"group", "worst", "none"};
        OpenType<?>[] types = {SimpleType.STRING, partition, partition};
        CompositeType group = new CompositeType("Group", "a group", keys, keys, types);

        Map<String, Object> all = new LinkedHashMap<>();
        all.put("Composite", first);
        all.put("Nested", new CompositeDataSupport(group, keys, new Object[] {"orders-app", first, null}));
        all.put("Composites", new CompositeData[] {first, second, third});
        all.put("ByTwo", table(partition, new String[] {"topic", "partition"}, first, second, third));
        all.put("ByOne", table(partition, new String[] {"topic"}, first, third));
        all.put("NoRows", table(partition, new String[] {"topic"}));
        return all;
    }

    private static CompositeData partition(CompositeType type, String topic, int id, Long lag)
            throws OpenDataException {
        return new CompositeDataSupport(type, PARTITION_KEYS, new Object[] {topic, id, lag, 0.5});
    }

    private static TabularDataSupport table(CompositeType row, String[] index, CompositeData... rows)
            throws OpenDataException {
        TabularDataSupport table = new TabularDataSupport(new TabularType("Table", "a table", row, index));
        table.putAll(rows);
        return table;
    }
}
