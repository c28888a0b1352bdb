/**
 * The seam: declare, bind, replay. A net is described by small records; a device plans them, fixing shapes, layouts and
 * algorithms while every operation declares its memory; everything is allocated once; from then on a training step is
 * a flat list of calls. Nothing here imports a device: {@link java.util.ServiceLoader} finds them.
 *
 * <p>Devices call native code. From version 24 on, the JDK warns of that on stderr unless a program is started with {@code java
 * --enable-native-access=ALL-UNNAMED}; on the module path also with {@code --add-modules ALL-MODULE-PATH}, since the natives
 * lie in modules that nothing requires. Messages go to SLF4J, and Basin brings no binding.
 */
package io.basin.device;
