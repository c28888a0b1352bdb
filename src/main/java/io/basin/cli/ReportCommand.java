package io.basin.cli;

import io.basin.Nullable;
import io.basin.exchange.EventFile;
import io.basin.report.Page;
import io.basin.report.Picture;
import io.basin.report.Regimes;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "report",
        description = "Holds finished comparisons side by side: where averaging pays, and what became of the article's"
                + " claims. Runs that differ only in seeds or methods count as one comparison.",
        footer = {
            "",
            "Examples:",
            "  basin report runs/a runs/b",
            "  basin report runs --out regimes.html --svg regimes.svg",
            "  basin report machine1/runs machine2.json --json both.json"
        })
final class ReportCommand implements Runnable {
    @Parameters(
            arity = "1..*",
            paramLabel = "DIR|FILE",
            description =
                    "folders of finished comparisons, folders of such folders, or files of --json; beside them, of 'width'")
    private List<Path> places = List.of();

    @Option(names = "--out", description = "writes a page with all tables and the picture; default none")
    private @Nullable Path out;

    @Option(names = "--svg", description = "writes the picture")
    private @Nullable Path svg;

    @Option(
            names = "--json",
            description = "writes all runs into one small file, of which this command reports as well")
    private @Nullable Path json;

    @Option(
            names = "--tensorboard",
            paramLabel = "DIR",
            description = "for TensorBoard: write the picture into the folder 'report' there; default none")
    private @Nullable Path tensorboard;

    @Override
    public void run() {
        Outputs.require("--out", out);
        Outputs.require("--svg", svg);
        Outputs.require("--json", json);
        Outputs.requireFolder("--tensorboard", tensorboard);
        Outputs.requireApart(new String[] {"--out", "--svg", "--json"}, out, svg, json);
        Regimes regimes = Regimes.read(places, FlagNames::label);
        System.out.println(regimes.common() + "\n");
        System.out.print(Page.text(regimes.table()));
        System.out.println(
                "\nDifferences to SGD in points, paired by seed, with 95 % intervals; *: p (Holm) < 0.05.\n");
        List<List<String>> claims = regimes.claims();
        if (claims.size() > 1) System.out.print(Page.text(claims) + "\n");
        System.out.println(Page.text(regimes.costs()));
        System.out.println(FlagNames.said(regimes.conclusion()));
        if (json != null) regimes.write(json);
        Picture figure = regimes.figure();
        if (figure != null) Outputs.picture(svg, figure::svg);
        if (figure != null && tensorboard != null) {
            EventFile.pictures(tensorboard.resolve("report"), Map.of("where-averaging-pays", figure.png()));
        }
        if (out != null) {
            regimes.page(out, FlagNames::said);
            System.out.println("Report: " + out);
        }
    }
}
