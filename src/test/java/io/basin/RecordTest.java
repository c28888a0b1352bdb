package io.basin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A record promises to be compared by content, which the compiler's {@code equals} does not do for arrays. */
class RecordTest {
    private static final String FIGURES = "carries a measurement's figures to its report";
    private static final String SCRATCH = "private, never leaves its class";
    /** Records with arrays that are compared by nobody, and what they are for. */
    private static final Map<String, String> CARRIERS = Map.ofEntries(
            Map.entry("average.PullTables", FIGURES),
            Map.entry("compare.Probabilities", FIGURES),
            Map.entry("cpu.CpuPointwise$Mask", SCRATCH),
            Map.entry("cpu.CpuUpdate$Strip", SCRATCH),
            Map.entry("data.CifarFormat$Part", SCRATCH),
            Map.entry("data.PictureFolder$Decoded", SCRATCH),
            Map.entry("data.SampleValues", SCRATCH),
            Map.entry("device.ForeignStep$Plan", SCRATCH),
            Map.entry("methods.PostHocEma$Fit", FIGURES),
            Map.entry("report.ResultTable$Pairs", SCRATCH),
            Map.entry("rounds.ModelState$Tensor", SCRATCH),
            Map.entry("spark.SparkCarrier$Done", SCRATCH),
            Map.entry("spark.SparkCarrier$Task", SCRATCH),
            Map.entry("ensemble.FileEnsemble$Outcome", FIGURES),
            Map.entry("ensemble.FileMean$Sum", SCRATCH),
            Map.entry("exchange.TrainedNet$Tensor", SCRATCH),
            Map.entry("landscape.PathMetrics", FIGURES),
            Map.entry("landscape.Rays$Bundle", FIGURES),
            Map.entry("landscape.Rays$Line", FIGURES),
            Map.entry("landscape.Surface$Result", FIGURES),
            Map.entry("report.Summary$Plotted", FIGURES));

    private static boolean hasArray(Class<?> c) {
        return Arrays.stream(c.getRecordComponents()).anyMatch(x -> x.getType().isArray());
    }

    private static boolean comparesByItself(Class<?> c) {
        Set<String> declared = Arrays.stream(c.getDeclaredMethods())
                .filter(m -> !java.lang.reflect.Modifier.isFinal(m.getModifiers()))
                .map(m -> m.getName() + m.getParameterCount())
                .collect(Collectors.toSet());
        return declared.containsAll(Set.of("equals1", "hashCode0", "toString0"));
    }

    @Test
    void everyRecordWithAnArrayComparesItsContentOrIsKnownToBeComparedByNobody() {
        Set<String> byIdentity = new TreeSet<>();
        for (JavaClass c : new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.basin")) {
            if (!c.isRecord()) continue;
            Class<?> reflected = c.reflect();
            if (hasArray(reflected) && !comparesByItself(reflected)) {
                byIdentity.add(c.getName().substring("io.basin.".length()));
            }
        }
        assertEquals(new TreeSet<>(CARRIERS.keySet()), byIdentity);
    }
}
