package stack;

import java.util.Map;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;

/** An MBean whose attributes are the entries of a map, of any class at all; Kafka's own metrics are such MBeans too. */
final class Table implements DynamicMBean {
    private final Map<String, Object> values;

    Table(Map<String, Object> values) {
        this.values = values;
    }

    @Override
    public Object getAttribute(String name) throws AttributeNotFoundException {
        if (!values.containsKey(name)) {
            throw new AttributeNotFoundException("No such attribute: " + name);
        }
        return values.get(name);
    }

    @Override
    public AttributeList getAttributes(String[] names) {
        AttributeList found = new AttributeList();
        for (String name : names) {
            if (values.containsKey(name)) {
                found.add(new Attribute(name, values.get(name)));
            }
        }
        return found;
    }

    @Override
    public MBeanInfo getMBeanInfo() {
        MBeanAttributeInfo[] attributes = values.entrySet().stream()
                .map(each -> new MBeanAttributeInfo(each.getKey(), type(each.getValue()), "", true, false, false))
                .toArray(MBeanAttributeInfo[]::new);
        return new MBeanInfo(Table.class.getName(), "", attributes, null, null, null);
    }

    private static String type(Object value) {
        return value == null ? Object.class.getName() : value.getClass().getName();
    }

    @Override
    public void setAttribute(Attribute attribute) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public AttributeList setAttributes(AttributeList attributes) {
        return new AttributeList();
    }

    @Override
    public Object invoke(String action, Object[] arguments, String[] signature) {
        throw new UnsupportedOperationException("no operations");
    }
}
