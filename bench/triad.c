// What memory gives: a[i] = b[i] + s c[i], as good as a compiler makes it. Compiled by io.basin.bench.Triad.
__attribute__((target_clones("avx512f", "avx2", "default")))
void triad(float* restrict a, const float* restrict b, const float* restrict c, float s, long n) {
    for (long i = 0; i < n; i++) a[i] = b[i] + s * c[i];
}
