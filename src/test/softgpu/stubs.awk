# Reads the symbols that a JNI library imports and writes a weak function for each: what is not implemented elsewhere
# says its name once on stderr and answers "not supported" (-v status=N), so that the JNI library always loads.
BEGIN {
    print "#include <cstdio>"
    print "static int refuse(const char* name, bool& said) {"
    print "    if (!said) std::fprintf(stderr, \"software GPU: %s is not supported\\n\", name);"
    print "    said = true;"
    print "    return " status ";"
    print "}"
    print "#define STUB(NAME) __attribute__((weak)) int NAME() { static bool said; return refuse(#NAME, said); }"
    print "extern \"C\" {"
}
NF { print "STUB(" $1 ")" }
END { print "}" }
