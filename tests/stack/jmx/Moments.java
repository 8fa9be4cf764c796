package stack;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One attribute for each kind of value of java.time, of which only Java knows where it ends. */
final class Moments {
    private Moments() { }

    static Map<String, Object> all() {
        LocalDate day = LocalDate.of(2026, 1, 2);
        LocalTime time = LocalTime.of(3, 4, 5, 60_000_000);
        ZoneOffset west = ZoneOffset.ofHoursMinutes(-3, -30);
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("Duration", Duration.ofMillis(-1500));
        all.put("Instant", Instant.MAX);
        all.put("Date", day);
        all.put("DateBeforeChrist", LocalDate.of(-44, 3, 15));
        all.put("Time", time);
        all.put("Times", List.of(LocalTime.MIDNIGHT, LocalTime.NOON, LocalTime.of(3, 4), LocalTime.of(3, 4, 5)));
        all.put("DateTime", LocalDateTime.of(day, time));
        all.put("Zoned", ZonedDateTime.of(day, time, ZoneId.of("Europe/Zurich")));
        all.put("ZonedByOffset", ZonedDateTime.of(day, time, west));
        all.put("Zone", ZoneId.of("Europe/Zurich"));
        all.put("Offset", west);
        all.put("OddOffset", ZoneOffset.ofTotalSeconds(3601));
        all.put("OffsetTime", OffsetTime.of(time, west));
        all.put("OffsetDateTime", OffsetDateTime.of(day, time, ZoneOffset.UTC));
        all.put("Year", Year.of(2026));
        all.put("YearMonth", YearMonth.of(2026, 3));
        all.put("MonthDay", MonthDay.of(2, 3));
        all.put("Period", Period.of(1, 0, -3));
        return all;
    }
}
