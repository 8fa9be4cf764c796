package stack;

import java.util.AbstractMap;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Properties;
import java.util.Set;
import java.util.Stack;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.Vector;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** One attribute for each usual collection. A list is a, b, c; a set the same; a map is a: 1, b: 2. */
final class Collected {
    private static final List<String> THREE = List.of("a", "b", "c");

    private Collected() { }

    static Map<String, Object> all() {
        Map<String, Object> all = new LinkedHashMap<>();
        lists(all);
        sets(all);
        maps(all);
        return all;
    }

    private static void lists(Map<String, Object> all) {
        all.put("ArrayList", new ArrayList<>(THREE));
        all.put("AsList", Arrays.asList("a", "b", "c"));
        all.put("ListOf", THREE);
        all.put("ListOfOne", List.of("a"));
        all.put("ListOfNone", List.of());
        all.put("UnmodifiableList", Collections.unmodifiableList(new ArrayList<>(THREE)));
        all.put("UnmodifiableLinked", Collections.unmodifiableList(new LinkedList<>(THREE)));
        all.put("UnmodifiableCollection", Collections.unmodifiableCollection(new ArrayList<>(THREE)));
        all.put("SynchronizedList", Collections.synchronizedList(new ArrayList<>(THREE)));
        all.put("EmptyList", Collections.emptyList());
        all.put("SingletonList", Collections.singletonList("a"));
        all.put("NCopies", Collections.nCopies(3, "a"));
        all.put("LinkedList", new LinkedList<>(THREE));
        all.put("Vector", new Vector<>(THREE));
        Stack<String> stack = new Stack<>();
        stack.addAll(THREE);
        all.put("Stack", stack);
        all.put("CopyOnWrite", new CopyOnWriteArrayList<>(THREE));
        all.put("ArrayDeque", new ArrayDeque<>(THREE));
        all.put("PriorityQueue", new PriorityQueue<>(THREE));
        all.put("ConcurrentQueue", new ConcurrentLinkedQueue<>(THREE));
        all.put("SubList", new ArrayList<>(List.of("z", "a", "b", "c")).subList(1, 4)); // it is not Serializable
        all.put("Numbers", new ArrayList<>(Arrays.asList(1, 2L, 3.5, null, true)));
        all.put("Nested", List.of(List.of(1, 2), List.of(), Map.of("a", List.of("b"))));
    }

    private static void sets(Map<String, Object> all) {
        all.put("HashSet", new HashSet<>(THREE));
        all.put("LinkedHashSet", new LinkedHashSet<>(THREE));
        all.put("TreeSet", new TreeSet<>(THREE));
        all.put("SetOf", Set.of("a", "b", "c"));
        all.put("EmptySet", Collections.emptySet());
        all.put("SingletonSet", Collections.singleton("a"));
        all.put("UnmodifiableSet", Collections.unmodifiableSet(new LinkedHashSet<>(THREE)));
        all.put("EnumSet", EnumSet.of(TimeUnit.DAYS, TimeUnit.HOURS));
        Collection<String> keys = ConcurrentHashMap.newKeySet();
        keys.addAll(THREE);
        all.put("ConcurrentSet", keys);
    }

    private static void maps(Map<String, Object> all) {
        Map<String, Integer> two = new LinkedHashMap<>();
        two.put("a", 1);
        two.put("b", 2);
        all.put("HashMap", new HashMap<>(two));
        all.put("LinkedHashMap", two);
        all.put("TreeMap", new TreeMap<>(two));
        all.put("MapOf", Map.of("a", 1, "b", 2));
        all.put("MapOfOne", Map.of("a", 1));
        all.put("MapOfNone", Map.of());
        all.put("ConcurrentHashMap", new ConcurrentHashMap<>(two));
        all.put("ConcurrentSkipListMap", new ConcurrentSkipListMap<>(two));
        all.put("Hashtable", new Hashtable<>(two));
        all.put("IdentityHashMap", new IdentityHashMap<>(two));
        all.put("EmptyMap", Collections.emptyMap());
        all.put("SingletonMap", Collections.singletonMap("a", 1));
        all.put("UnmodifiableMap", Collections.unmodifiableMap(two));
        all.put("SynchronizedMap", Collections.synchronizedMap(two));
        all.put("EnumMap", new EnumMap<>(Map.of(TimeUnit.DAYS, 1)));
        all.put("Entry", new AbstractMap.SimpleEntry<>("a", 1));
        Properties properties = new Properties();
        properties.setProperty("a", "1");
        properties.setProperty("b", "2");
        all.put("Properties", properties);
    }
}
