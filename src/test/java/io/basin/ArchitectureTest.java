package io.basin;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import io.basin.device.Layer;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the packages' documentation promises about who knows whom. */
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.basin");
    private static final String[] DEVICES = {"io.basin.cpu..", "io.basin.cuda.."};

    private static final Set<String> INEXACT = Set.of(
            "acos", "asin", "atan", "atan2", "cbrt", "cos", "cosh", "exp", "expm1", "hypot", "log", "log10", "log1p",
            "pow", "sin", "sinh", "tan", "tanh");

    @Test
    void theClassesWereFound() {
        assertTrue(CLASSES.size() > 50);
        assertTrue(CLASSES.stream().noneMatch(c -> c.getSimpleName().equals("ArchitectureTest")));
    }

    @Test
    void nothingKnowsADeviceButThroughTheSeam() {
        noClasses()
                .that()
                .resideOutsideOfPackages(DEVICES)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(DEVICES)
                .check(CLASSES);
    }

    @Test
    void theDevicesDoNotKnowEachOtherNorNetsNorTraining() {
        noClasses()
                .that()
                .resideInAPackage("io.basin.cpu..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.basin.cuda..", "io.basin.nn..", "io.basin.nn..", "io.basin.train..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("io.basin.cuda..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.basin.cpu..", "io.basin.nn..", "io.basin.nn..", "io.basin.train..")
                .check(CLASSES);
    }

    /** A round knows nets and training, and not who compares or draws them; Spark's types stay in one package. */
    @Test
    void roundsStandBesideComparisonsAndSparkBesideBoth() {
        noClasses()
                .that()
                .resideInAPackage("io.basin.rounds..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.basin.compare..",
                        "io.basin.landscape..",
                        "io.basin.report..",
                        "io.basin.spark..",
                        "io.basin.cli..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackage("io.basin.spark..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.spark..")
                .check(CLASSES);
    }

    @Test
    void comparisonsAndLandscapesAreSiblingsAboveTraining() {
        noClasses()
                .that()
                .resideInAPackage("io.basin.landscape..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.basin.compare..", "io.basin.ensemble..", "io.basin.cli..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("io.basin.compare..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.basin.landscape..", "io.basin.cli..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("io.basin.train..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.basin.compare..", "io.basin.landscape..", "io.basin.ensemble..", "io.basin.report..")
                .check(CLASSES);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.basin.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    /** The package rule does not see them; a nested class belongs to the class around it. */
    @Test
    void classesHaveNoRingsWhereTheyNeedNone() {
        for (String name : List.of(
                "compare", "data", "ensemble", "exchange", "landscape", "nn", "random", "report", "text", "train")) {
            SliceAssignment outermost = new SliceAssignment() {
                @Override
                public SliceIdentifier getIdentifierOf(JavaClass c) {
                    return c.getPackageName().equals("io.basin." + name)
                            ? SliceIdentifier.of(c.getName().replaceFirst("\\$.*", ""))
                            : SliceIdentifier.ignore();
                }

                @Override
                public String getDescription() {
                    return "classes of " + name;
                }
            };
            slices().assignedFrom(outermost).should().beFreeOfCycles().check(CLASSES);
        }
    }

    /** Java 17 has no switch over a sealed type that the compiler could check, so this does. */
    @Test
    void bothDevicesPlanEveryLayer() {
        for (JavaClass device :
                List.of(CLASSES.get("io.basin.cpu.CpuDevice"), CLASSES.get("io.basin.cuda.CudaDevice"))) {
            Set<String> planned = device.getDirectDependenciesFromSelf().stream()
                    .map(d -> d.getTargetClass().getName())
                    .collect(Collectors.toSet());
            layers(Layer.class).forEach(l -> assertTrue(planned.contains(l.getName()), device + " plans no " + l));
        }
    }

    private static Stream<Class<?>> layers(Class<?> sealed) {
        return Stream.of(sealed.getPermittedSubclasses()).flatMap(l -> l.isSealed() ? layers(l) : Stream.of(l));
    }

    @Test
    void onlyTheDevicesCallTheirLibraries() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.basin.cpu..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.bytedeco.dnnl..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackage("io.basin.cuda..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("jcuda..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages("io.basin.cpu..", "io.basin.cuda..", "io.basin.average..")
                .and()
                // Asks Linux how wide the terminal is.
                .doNotHaveFullyQualifiedName("io.basin.cli.Terminal")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("com.sun.jna..")
                .check(CLASSES);
    }

    /** Averages are for programs that train with something else. */
    @Test
    void averagesOfForeignArraysKnowNoNetAndNobodyKnowsThem() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.basin.average..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.basin.average..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("io.basin.average..")
                .should()
                .dependOnClassesThat(com.tngtech.archunit.base.DescribedPredicate.describe(
                        "lie in packages of ours but device, io, methods and text",
                        c -> c.getPackageName().matches("io\\.basin\\.(?!average|device|io|methods|text).*")))
                .check(CLASSES);
    }

    @Test
    void theSeamDependsOnNothingOfOursButFilesAndText() {
        noClasses()
                .that()
                .resideInAnyPackage("io.basin.device..", "io.basin.random..")
                .should()
                .dependOnClassesThat(com.tngtech.archunit.base.DescribedPredicate.describe(
                        "lie in packages of ours above it",
                        c -> c.getPackageName().startsWith("io.basin.")
                                && !c.getPackageName().startsWith("io.basin.device")
                                && !c.getPackageName().startsWith("io.basin.io")
                                && !c.getPackageName().startsWith("io.basin.text")
                                && !c.getPackageName().startsWith("io.basin.random")))
                .check(CLASSES);
    }

    /** {@link Math}'s may differ from machine to machine in the last bit; the devices' own arithmetic is theirs. */
    @Test
    void tablesAndDrawsAreComputedByStrictMath() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "io.basin.random..",
                        "io.basin.data..",
                        "io.basin.device..",
                        "io.basin.ensemble..",
                        "io.basin.landscape..",
                        "io.basin.nn..",
                        "io.basin.nn..",
                        "io.basin.train..")
                .should()
                .callMethodWhere(com.tngtech.archunit.base.DescribedPredicate.describe(
                        "a function of Math whose last bit the platform chooses",
                        call -> call.getTargetOwner().isEquivalentTo(Math.class)
                                && INEXACT.contains(call.getTarget().getName())))
                .check(CLASSES);
    }

    @Test
    void namesSayWhatAClassIs() {
        noClasses()
                .should()
                .haveNameMatching(".*(Impl|Utils?|Manager|Helper)(\\$.*)?")
                .orShould()
                .haveNameMatching(".*\\.Abstract[A-Z].*")
                .check(CLASSES);
    }
}
