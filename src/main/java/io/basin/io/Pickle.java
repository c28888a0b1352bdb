package io.basin.io;

import io.basin.Nullable;
import io.basin.text.Printable;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The part of Python's pickle machine that builds dictionaries of tensors, as {@code torch.save} writes a state dict; nothing is
 * ever called or imported. Instructions are those of Python's pickletools, the functions that may be called are {@link #call}'s: everything else
 * is refused by name.
 *
 * <p>Values are {@link String}, {@link Long}, {@link Double}, {@link Boolean}, {@link #NONE}, {@link List} for lists and tuples,
 * {@link Map} for dictionaries, {@link Global}, {@link Stored} and {@link TensorView}.
 */
final class Pickle {
    static final Object NONE = "None";
    /** The longest pickle that is read: of each tensor it takes about 200 bytes. */
    static final int MAX_BYTES = 16 << 20;

    /** Memory for any file's objects; with the pickle and buffers, reading stays under four times the file and 64 MiB. */
    private static final long ROOM = 40L << 20;
    /** About what a reference, a boxed number and a small list or a name take, with what growing them leaves behind. */
    private static final int REFERENCE = 16;

    private static final int NUMBER = 24;
    private static final int OBJECT = 96;
    private static final int MOST_AXES = 64;
    private static final Object MARK = new Object();

    private static final Map<String, Dtype> STORAGES = Map.of(
            "DoubleStorage", Dtype.F64,
            "FloatStorage", Dtype.F32,
            "HalfStorage", Dtype.F16,
            "BFloat16Storage", Dtype.BF16,
            "LongStorage", Dtype.I64,
            "IntStorage", Dtype.I32,
            "ShortStorage", Dtype.I16,
            "CharStorage", Dtype.I8,
            "ByteStorage", Dtype.U8,
            "BoolStorage", Dtype.BOOL);
    private static final String DICTIONARY = "collections.OrderedDict";
    private static final String TENSOR = "torch._utils._rebuild_tensor_v2";
    /** Both hand back their first argument: a tensor as a parameter, and what libtorch tells the type of. */
    private static final Set<String> IDENTITIES =
            Set.of("torch._utils._rebuild_parameter", "torch.jit._pickle.restore_type_tag");

    private final String file;
    private final ByteBuffer code;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();
    private int deepest;
    private long left;

    /** The name of a class or function, which is only known, never looked up. */
    record Global(String name) {}

    /** A piece of memory that lies in another entry of the archive. */
    record Stored(Dtype dtype, String key, long elements) {}

    /** @param offset in elements, as {@code strides} */
    record TensorView(Stored stored, long offset, List<Long> shape, List<Long> strides) {}

    private Pickle(String file, byte[] code, long length) {
        this.file = file;
        left = 3 * length + ROOM;
        this.code = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * @param file for messages
     * @param length of the whole file, by which what is made of the pickle is limited
     */
    static Object load(String file, byte[] code, long length) {
        Pickle machine = new Pickle(file, code, length);
        try {
            while (true) {
                int instruction = machine.code.get() & 0xFF;
                if (instruction == '.') return machine.pop();
                machine.run(instruction);
            }
        } catch (BufferUnderflowException | IndexOutOfBoundsException | ClassCastException | ArithmeticException e) {
            throw new FormatException(
                    file, "its pickle is damaged at byte " + machine.code.position() + ": take another copy", e);
        }
    }

    private void run(int instruction) {
        switch (instruction) {
            case 0x80 -> code.get(); // PROTO
            case 0x95 -> code.getLong(); // FRAME
            case 'c' -> push(global(line(), line()));
            case 0x93 -> { // STACK_GLOBAL
                String name = (String) pop();
                push(global((String) pop(), name));
            }
            case 'Q' -> push(stored(list(pop())));
            case 'R' -> {
                List<Object> arguments = list(pop());
                push(call(((Global) pop()).name(), arguments));
            }
            case 'b' -> build();
            case 's', 'u', 'a', 'e' -> fill(instruction);
            case '(' -> push(MARK);
            case 'q' -> remember(code.get() & 0xFF);
            case 'r' -> remember(code.getInt());
            case 0x94 -> remember(memo.size());
            case 'h' -> push(remembered(code.get() & 0xFF));
            case 'j' -> push(remembered(code.getInt()));
            case '0' -> pop();
            default -> {
                spend("KMJG\u008aN\u0088\u0089".indexOf(instruction) >= 0 ? NUMBER : OBJECT);
                push(value(instruction));
            }
        }
    }

    private @Nullable Object value(int instruction) {
        return switch (instruction) {
            case 'N' -> NONE;
            case 0x88 -> true;
            case 0x89 -> false;
            case 'K' -> (long) (code.get() & 0xFF);
            case 'M' -> (long) (code.getShort() & 0xFFFF);
            case 'J' -> (long) code.getInt();
            case 0x8a -> integer(code.get() & 0xFF);
            case 'G' -> Double.longBitsToDouble(Long.reverseBytes(code.getLong()));
            case 'X' -> text(code.getInt());
            case 0x8c, 'U' -> text(code.get() & 0xFF);
            case '}' -> new LinkedHashMap<>();
            case ']', ')' -> new ArrayList<>();
            case 't' -> sinceMark();
            case 0x85, 0x86, 0x87 -> last(instruction - 0x84);
            default ->
                throw wrong("holds the pickle instruction 0x" + Integer.toHexString(instruction)
                        + ", which no state dict needs");
        };
    }

    /** The functions that may be called: those of PyTorch's state dicts. */
    private Object call(String name, List<Object> arguments) {
        if (IDENTITIES.contains(name)) return arguments.get(0);
        if (name.equals(TENSOR)) {
            return new TensorView(
                    (Stored) arguments.get(0),
                    (Long) arguments.get(1),
                    sizes(arguments.get(2)),
                    sizes(arguments.get(3)));
        }
        if (name.equals(DICTIONARY) && arguments.isEmpty()) return new LinkedHashMap<>();
        throw forbidden(name);
    }

    private Global global(String module, String name) {
        spend(2 * OBJECT);
        String whole = module + "." + name;
        boolean known = whole.equals(DICTIONARY)
                || whole.equals(TENSOR)
                || IDENTITIES.contains(whole)
                || module.equals("torch") && STORAGES.containsKey(name);
        if (known) return new Global(whole);
        throw forbidden(whole);
    }

    private FormatException forbidden(String name) {
        return wrong("names '" + Printable.of(name) + "', which Basin never runs");
    }

    /** A persistent id: ('storage', class, key, device, elements). */
    private Stored stored(List<Object> id) {
        String type = ((Global) id.get(1)).name().replace("torch.", "");
        Dtype dtype = STORAGES.get(type);
        if (!id.get(0).equals("storage") || dtype == null) throw wrong("holds something that is not a tensor");
        return new Stored(dtype, (String) id.get(2), (Long) id.get(4));
    }

    /** Attributes of a dictionary, such as PyTorch's {@code _metadata}, tell nothing of weights. */
    private void build() {
        pop();
        if (!(top() instanceof Map)) throw wrong("sets attributes of an object that is not a dictionary");
    }

    private void fill(int instruction) {
        boolean map = instruction == 's' || instruction == 'u';
        int one = map ? 2 : 1;
        List<Object> items = instruction == 'u' || instruction == 'e' ? sinceMark() : last(one);
        if (!map) {
            list(top()).addAll(items);
            return;
        }
        for (int i = 0; i < items.size(); i += 2) {
            spend(OBJECT);
            map(top()).put(key(items.get(i)), items.get(i + 1));
        }
    }

    /** Such as have a hash of their own: that of a list which holds itself never ends. */
    private Object key(Object key) {
        if (key instanceof String || key instanceof Long) return key;
        throw wrong("has a dictionary whose keys are not names");
    }

    /** Counts what an instruction takes of memory, garbage too, before it does. */
    private void spend(long bytes) {
        left -= bytes;
        if (left < 0) throw wrong("its pickle would take far more memory than the file is long");
    }

    private void push(@Nullable Object value) {
        if (stack.size() > deepest) {
            deepest = stack.size();
            spend(REFERENCE);
        }
        stack.add(value);
    }

    private Object top() {
        return stack.get(stack.size() - 1);
    }

    private Object pop() {
        return stack.remove(stack.size() - 1);
    }

    private List<Object> last(int count) {
        spend(OBJECT + (long) REFERENCE * Math.max(0, count));
        List<Object> tail = stack.subList(stack.size() - count, stack.size());
        List<Object> taken = new ArrayList<>(tail);
        tail.clear();
        return taken;
    }

    private List<Object> sinceMark() {
        List<Object> taken = last(stack.size() - 1 - stack.lastIndexOf(MARK));
        pop();
        return taken;
    }

    private void remember(int index) {
        spend(OBJECT);
        memo.put(index, top());
    }

    private Object remembered(int index) {
        Object value = memo.get(index);
        if (value == null) throw new IndexOutOfBoundsException(index);
        return value;
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(Object value) {
        return (List<Object>) value;
    }

    @SuppressWarnings("unchecked")
    private static Map<Object, Object> map(Object value) {
        return (Map<Object, Object>) value;
    }

    private List<Long> sizes(Object value) {
        if (list(value).size() > MOST_AXES)
            throw wrong("has a tensor of " + list(value).size() + " axes");
        spend(2 * OBJECT);
        return list(value).stream().map(Long.class::cast).collect(Collectors.toUnmodifiableList());
    }

    private String line() {
        int from = code.position();
        int end = from;
        while (code.get(end) != '\n') end++;
        code.position(end + 1);
        spend(OBJECT + 2L * (end - from));
        return new String(code.array(), from, end - from, StandardCharsets.UTF_8);
    }

    private String text(int length) {
        int from = code.position();
        code.position(from + checked(length));
        spend(length);
        return new String(code.array(), from, length, StandardCharsets.UTF_8);
    }

    private int checked(int length) {
        if (length < 0 || length > code.remaining()) throw new BufferUnderflowException();
        return length;
    }

    /** Little endian, two's complement. */
    private long integer(int bytes) {
        if (bytes > 8) throw wrong("holds a whole number beyond 64 bits");
        long value = 0;
        for (int i = 0; i < bytes; i++) value |= (code.get() & 0xFFL) << 8 * i;
        int unused = 64 - 8 * bytes;
        return bytes == 0 ? 0 : value << unused >> unused;
    }

    private FormatException wrong(String problem) {
        return new FormatException(file, problem + ": save the state dict alone, torch.save(model.state_dict(), ...)");
    }
}
