package io.basin.cli;

import io.basin.io.Notices;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Entry point of the command line. Its exit codes are {@link Exit}'s. */
@Command(
        name = "basin",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        scope = ScopeType.INHERIT,
        description = "Trains neural nets to wide optima: SWA, EMA, snapshot ensembles, FGE and their relatives.",
        subcommands = {
            CompareCommand.class,
            TrainCommand.class,
            EvaluateCommand.class,
            PredictCommand.class,
            AverageCommand.class,
            SoupCommand.class,
            EnsembleCommand.class,
            ConnectCommand.class,
            SurfaceCommand.class,
            WidthCommand.class,
            ScheduleCommand.class,
            DataCommand.class,
            DoctorCommand.class
        },
        footer = {"", "Start with:  basin compare fashion-mnist", "Look first:  basin doctor", "", Exit.HELP})
public final class Main implements Runnable {
    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "log what is planned; stack traces on failure")
    @SuppressWarnings("unused") // picocli has to know the flag; main reads it before any logger exists
    private boolean verbose;

    /** The jar's own version. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"basin " + (version == null ? "(unpackaged)" : version)};
        }
    }

    public static void main(String[] args) {
        boolean verbose = java.util.Arrays.asList(args).contains("--verbose");
        // Before any logger exists: slf4j-simple reads these once.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", verbose ? "debug" : "warn");
        if (!verbose) {
            // Says what a plan is about to allocate, and what it does about a damaged cache.
            System.setProperty("org.slf4j.simpleLogger.log.io.basin.cuda", "info");
            // Says why the GPU was not taken.
            System.setProperty("org.slf4j.simpleLogger.log.io.basin.device", "info");
        }
        System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
        System.setProperty("org.slf4j.simpleLogger.showShortLogName", "true");
        System.setProperty("java.awt.headless", "true");
        // Figures have the digits of programs, whatever the user's language; libraries that draw ask for the default.
        Locale.setDefault(Locale.ROOT);
        Stdout stdout = Stdout.install();
        System.setErr(new Terminal(System.err, Terminal.charset(), false));
        try {
            System.exit(stdout.end(commandLine().execute(args)));
        } catch (OutOfMemoryError e) {
            System.err.println("basin: " + Exhausted.sentence(e));
            System.exit(Exit.FAILED);
        }
    }

    static CommandLine commandLine() {
        Notices.reset();
        CommandLine line = new CommandLine(new Main());
        Words.register(line);
        line.setHelpFactory(Placeholders::new);
        line.setExecutionStrategy(parsed -> {
            Limits.check(parsed);
            return new CommandLine.RunLast().execute(parsed);
        });
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler(Main::failed);
        line.setParameterExceptionHandler(Main::misused);
        return line;
    }

    /** One line instead of the whole usage text, in which the message would be lost. */
    private static int misused(CommandLine.ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        line.getErr().println("basin: " + Complaint.of(e));
        return Exit.USAGE;
    }

    private static int failed(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
        boolean verbose = parsed.expandedArgs().contains("--verbose");
        if (verbose) e.printStackTrace(line.getErr());
        OutOfMemoryError full = Exhausted.in(e);
        line.getErr().println("basin: " + (full == null ? Complaint.of(e) : Exhausted.sentence(full)));
        boolean usage = full == null && e instanceof IllegalArgumentException && !Complaint.isUnexpected(e);
        return usage ? Exit.USAGE : Exit.FAILED;
    }

    @Override
    public void run() {
        new CommandLine(this).usage(System.out);
    }
}
