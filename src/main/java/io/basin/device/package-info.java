/**
 * The seam: declare, bind, replay. A net is described by small records; a device plans them, fixing shapes, layouts and
 * algorithms while every operation declares its memory; everything is allocated once; from then on a training step is
 * a flat list of calls. Nothing here imports a device: {@link java.util.ServiceLoader} finds them.
 *
 * <pre>
 *   Graph            layers and how they are wired, plain data
 *     | declare      Device.plan(PlanContext, Layer, inputs) for each, and batch, fork and loss: an Op
 *     v
 *   PlanContext      Slots: each operation's memory, and from when to when; Parameters: in the ParameterStore
 *     | plan         Packing places slots that never live together at one offset; the Device allocates the Arenas
 *     v
 *   Binding          which Memory each Arena is: the model's weights, its average, a collected member
 *     | bind         Op.bind(Binding) writes addresses into calls that are ready otherwise
 *     v
 *   Recording        Device.record(forward, backward, Arenas.step, Arenas.advance), once
 *       replay       Recording.replay() for each step: nothing is allocated, nothing comes from the host
 * </pre>
 *
 * <p>Devices call native code. From version 24 on, the JDK warns of that on stderr unless a program is started with {@code java
 * --enable-native-access=ALL-UNNAMED}; on the module path also with {@code --add-modules ALL-MODULE-PATH}, since the natives
 * lie in modules that nothing requires. Messages go to SLF4J, and Basin brings no binding.
 */
package io.basin.device;
