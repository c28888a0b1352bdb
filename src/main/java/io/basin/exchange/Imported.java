package io.basin.exchange;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.device.ParameterStore;
import io.basin.io.Dtype;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.io.Sha256;
import io.basin.io.StateDict;
import io.basin.io.Tensors;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import io.basin.text.Printable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A state dict of another program as weights of a net here. Tensors are matched by name and taken as they are: filters are (out, in,
 * kh, kw) and rows of dense layers (channel, row, column) in PyTorch as in our files. PyTorch's counters {@code
 * num_batches_tracked} are ignored, and so is a {@code module.} before all names.
 *
 * @param names what tensors, or layers with all of theirs, are called there and here
 * @param head a layer, or the part of a name that several begin with, which gets first values; null: none
 * @param seed that draws these, as a training's
 * @param extra whether tensors that the net has not are ignored
 */
public record Imported(
        Path file, Graph net, Names names, @Nullable String head, long seed, boolean extra) {
    private static final String COUNTER = "num_batches_tracked";
    private static final int SHOWN = 40;

    /** The written tensors: those taken from the file, and those that got first values. */
    public record Outcome(int taken, int fresh) {}

    /** @param header what it says of itself */
    public Outcome write(Path out, Map<String, String> header) {
        try (StateDict in = StateDict.open(file)) {
            Names all = net.source().startsWith("vgg")
                    ? names.and(Names.vgg(in.shapes().keySet()))
                    : names;
            Map<String, String> sources = all.sources(file, in.shapes().keySet());
            List<Want> wanted = wanted();
            requireMatch(in, sources, wanted);
            SafetensorsWriter writer = Safetensors.writer().metadata(header);
            MessageDigest content = Sha256.digest();
            for (Want want : wanted) {
                String source = sources.getOrDefault(want.name, "");
                ByteBuffer bytes = want.isFresh ? first(want) : taken(in, source, want.name);
                content.update(bytes.duplicate());
                writer.add(want.name, Dtype.F32, want.param.shape().toLongs(), bytes);
            }
            writer.metadata("init", "import " + Sha256.hex(content).substring(0, 16))
                    .write(out);
            int fresh = (int) wanted.stream().filter(Want::isFresh).count();
            return new Outcome(wanted.size() - fresh, fresh);
        }
    }

    /** @param index among the trained tensors, by which a training draws first values */
    private record Want(String name, Layer.Param param, int index, boolean isFresh) {}

    private List<Want> wanted() {
        List<Want> all = new ArrayList<>();
        int index = 0;
        for (Node node : net.nodes()) {
            int trained = node.layer().parameters(node.inputs().get(0).shape()).size();
            boolean isFresh = isHead(node.path());
            for (Layer.Param p : node.tensors().toList()) {
                all.add(new Want(node.name(p), p, trained-- > 0 ? index++ : -1, isFresh));
            }
        }
        if (head != null && all.stream().noneMatch(Want::isFresh)) {
            throw new IllegalArgumentException("`newHead`: the net has no layer '" + Printable.of(head)
                    + "' with weights;" + " name one of them, or the part that their names begin with");
        }
        return all;
    }

    private boolean isHead(String path) {
        return head != null && (path.equals(head) || path.startsWith(head + "."));
    }

    private void requireMatch(StateDict in, Map<String, String> sources, List<Want> wanted) {
        List<String> missing = new ArrayList<>();
        List<String> unlike = new ArrayList<>();
        Set<String> others = new TreeSet<>(sources.keySet());
        for (Want want : wanted) {
            others.remove(want.name);
            if (want.isFresh) continue;
            String source = sources.get(want.name);
            List<Long> shape = in.shapes().getOrDefault(source == null ? "" : source, List.of());
            List<Long> needed =
                    want.param.shape().dims().stream().map(Integer::longValue).toList();
            if (source == null) missing.add(want.name);
            else if (!shape.equals(needed)) unlike.add(want.name + " " + shape + " instead of " + needed);
        }
        others.removeIf(name -> name.endsWith(COUNTER) || isHead(name.replaceAll("\\.[^.]*$", "")));
        if (extra) others.clear();
        if (missing.isEmpty() && unlike.isEmpty() && others.isEmpty()) return;
        throw new FormatException(
                file.toString(),
                "does not fit the net" + listed("missing", missing) + listed("of another shape", unlike)
                        + listed("too many", others.stream().map(Printable::of).toList())
                        + "; map names with `names`, draw a layer anew with `newHead`, ignore what is too many with"
                        + " `extraTensors`, or name another `model`");
    }

    private static String listed(String what, List<String> names) {
        if (names.isEmpty()) return "";
        String more = names.size() > SHOWN ? " and " + (names.size() - SHOWN) + " more" : "";
        return names.stream().limit(SHOWN).collect(Collectors.joining(", ", "; " + what + ": ", more));
    }

    /** As {@link ParameterStore#initialise} draws them. */
    private ByteBuffer first(Want want) {
        float[] values = new float[Math.toIntExact(want.param.shape().elements())];
        want.param.first().fill(values, want.param.shape(), want.index < 0 ? 0 : ParameterStore.seed(seed, want.index));
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    /** The file's own bytes where it holds them as ours do: they are not copied. */
    private ByteBuffer taken(StateDict in, String source, String name) {
        ByteBuffer values = in.weights(source);
        Tensors.requireSound(file, name, values.asFloatBuffer());
        return values;
    }
}
