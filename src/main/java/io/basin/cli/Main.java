package io.basin.cli;

import io.basin.io.FormatException;
import io.basin.io.Notices;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Entry point of the command line. */
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
            SoupCommand.Average.class,
            SoupCommand.class,
            EnsembleCommand.class,
            ImportCommand.class,
            ExportCommand.class,
            ConnectCommand.class,
            SurfaceCommand.class,
            WidthCommand.class,
            StabilityCommand.class,
            RoundsCommand.class,
            WorkerCommand.class,
            ScheduleCommand.class,
            ReportCommand.class,
            RunsCommand.class,
            DataCommand.class,
            DoctorCommand.class,
            HelpCommand.class,
            HelpCommand.Completion.class
        },
        footer = {"", "Start with:  basin compare fashion-mnist", "Look first:  basin doctor", "", Main.HELP})
public final class Main implements Runnable {
    /** Done, and all self-checks held. */
    static final int OK = 0;
    /** Something failed: a file, a device, a training, a self-check, or results could not be written. */
    static final int FAILED = 1;
    /** The request cannot be met: the command line or the files that it names must change. */
    static final int USAGE = 2;
    /** The reader of stdout closed it early, as 'head' does: the code of ordinary tools, which die of SIGPIPE. */
    static final int PIPE_CLOSED = 141;

    /** For the end of the help; the virtual machine ends with 130 of its own accord. */
    static final String HELP =
            "Exit codes: 0 done, 1 failed (a self-check and unwritable output included), 2 wrong usage,"
                    + " 130 interrupted, 141 stdout was closed by its reader";

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
            // Prints its stack of what we say in one line, but says here that it waits for executors.
            System.setProperty("org.slf4j.simpleLogger.log.org.apache", "off");
            System.setProperty("org.slf4j.simpleLogger.log.org.apache.spark.scheduler.TaskSchedulerImpl", "warn");
            // Says why the GPU was not taken.
            System.setProperty("org.slf4j.simpleLogger.log.io.basin.device", "info");
        }
        System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
        System.setProperty("org.slf4j.simpleLogger.showShortLogName", "true");
        System.setProperty("java.awt.headless", "true");
        // Figures have the digits of programs, whatever the user's language; libraries that draw ask for the
        // default.
        Locale.setDefault(Locale.ROOT);
        Terminal.Stdout stdout = Terminal.Stdout.install();
        System.setErr(new Terminal(System.err, Terminal.charset(), false));
        try {
            System.exit(stdout.end(commandLine().execute(args)));
        } catch (OutOfMemoryError e) {
            System.err.println("basin: " + Complaint.of(e));
            System.exit(FAILED);
        }
    }

    static CommandLine commandLine() {
        Notices.reset();
        CommandLine line = new CommandLine(new Main()) {
            @Override
            public int execute(String... args) {
                try {
                    return super.execute(Recipe.complete(Resumption.complete(args)));
                } catch (IllegalArgumentException | FormatException e) {
                    getErr().println("basin: " + Complaint.of(e));
                    return e instanceof FormatException ? FAILED : USAGE;
                }
            }
        };
        Limits.register(line);
        HelpPage.register(line);
        RoundFlags.hide(
                Objects.requireNonNull(line.getSubcommands().get("rounds")).getCommandSpec());
        line.setExecutionStrategy(parsed -> {
            Limits.check(parsed);
            Outputs.check(parsed);
            return new CommandLine.RunLast().execute(parsed);
        });
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler(Main::failed);
        line.setParameterExceptionHandler(Main::misused);
        return line;
    }

    /** The command that the words call, with its flags set and not run. */
    static Object parsed(List<String> words) {
        CommandLine line = commandLine();
        line.parseArgs(words.toArray(new String[0]));
        return Objects.requireNonNull(line.getSubcommands().get(words.get(0))).getCommand();
    }

    /** One line instead of the whole usage text, in which the message would be lost. */
    private static int misused(CommandLine.ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        line.getErr().println("basin: " + Complaint.of(e));
        return USAGE;
    }

    private static int failed(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
        boolean verbose = parsed.expandedArgs().contains("--verbose");
        if (verbose) e.printStackTrace(line.getErr());
        OutOfMemoryError full = Complaint.shortage(e);
        line.getErr().println("basin: " + (full == null ? Complaint.of(e) : Complaint.of(full)));
        boolean usage = full == null && e instanceof IllegalArgumentException && !Complaint.isUnexpected(e);
        return usage ? USAGE : FAILED;
    }

    @Override
    public void run() {
        new CommandLine(this).usage(System.out);
    }
}
